// Giving by month: which months are shown, and what they come to.

/** What children of one month and one currency come to. */
export interface MonthGroup {
  /** `2026-11`; null for children without a day. */
  month: string | null;
  code: string | null;
  /** In the currency's unit. */
  amount: number;
  children: number;
}

export interface Month {
  /** `2026-11`. */
  month: string;
  amount: number;
  /** The one that is not over yet. */
  current: boolean;
}

export interface Giving {
  months: Month[];
  /** Of the twelve whole months at the end of what is shown. */
  lastYear: number;
  /** Of the twelve before, if there is anything as early as their first. */
  yearBefore?: number;
  /** The last of the twelve. */
  until: string;
}

const SHOWN = 36;
const YEAR = 12;

const numberOf = (month: string) => Number(month.slice(0, 4)) * 12 + Number(month.slice(5, 7)) - 1;
const monthOf = (number: number) => `${String(Math.floor(number / 12)).padStart(4, '0')}-${String((number % 12) + 1).padStart(2, '0')}`;

/**
 * The months of one currency, up to the current one, or to the last that has anything where that is more than a year ago.
 *
 * @param current the current month
 * @returns nothing, if there is nothing up to now
 */
export function givingOf(groups: readonly MonthGroup[], current: string): Giving | undefined {
  const amounts = new Map<number, number>();
  const now = numberOf(current);
  for (const { month, amount } of groups) {
    if (month !== null && numberOf(month) <= now) amounts.set(numberOf(month), (amounts.get(numberOf(month)) ?? 0) + amount);
  }
  if (amounts.size === 0) return undefined;
  const last = Math.max(...amounts.keys());
  const end = now - last > YEAR ? last : now;
  const first = Math.max(Math.min(...amounts.keys()), end - SHOWN + 1);
  const months: Month[] = [];
  for (let number = first; number <= end; number += 1) {
    months.push({ month: monthOf(number), amount: amounts.get(number) ?? 0, current: number === now });
  }
  const whole = end === now ? now - 1 : end;
  const sumUntil = (number: number) => {
    let sum = 0;
    for (let at = number - YEAR + 1; at <= number; at += 1) sum += amounts.get(at) ?? 0;
    return sum;
  };
  const reaches = Math.min(...amounts.keys()) <= whole - 2 * YEAR + 1;
  return { months, lastYear: sumUntil(whole), ...(reaches && { yearBefore: sumUntil(whole - YEAR) }), until: monthOf(whole) };
}

/** The currencies of the groups, the one with the most children first. */
export function currenciesOf(groups: readonly MonthGroup[]): string[] {
  const counts = new Map<string, number>();
  for (const { code, children } of groups) if (code) counts.set(code, (counts.get(code) ?? 0) + children);
  return [...counts].toSorted(([, one], [, other]) => other - one).map(([code]) => code);
}
