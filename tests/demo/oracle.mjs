/**
 * Donors' totals computed straight from a list of gifts, in integers, by the plain reading of the
 * default definitions: sums take all amounts, gifts above zero count, and what has a day ends today.
 * It shares no code with the engine.
 */
import { readFileSync } from 'node:fs';

/** `29.33` → 29330000n */
const micros = (amount) => {
  const [whole, fraction = ''] = amount.split('.');
  return BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, '0').slice(0, 6));
};

/**
 * @param {string} path CSV with the columns donor, gift_date, amount, currency
 * @returns {{donor: string, date: string, micros: bigint, currency: string}[]}
 */
export const readGifts = (path) =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [donor, date, amount, currency] = line.trim().split(',');
      return { donor, date, micros: micros(amount), currency };
    });

/** What a person without a gift carries. */
const nothing = () => ({ sum: 0n, currency: null, count: 0, first: null, last: null, yearSum: 0n, yearCount: 0 });

/** Totals by donor, on a day. */
export const totalsOf = (gifts, today) => {
  const totals = new Map();
  for (const { donor, date, micros, currency } of gifts) {
    if (!totals.has(donor)) totals.set(donor, nothing());
    if (micros === 0n) continue;
    const total = totals.get(donor);
    const isGift = micros > 0n;
    const isPast = date <= today;
    const isThisYear = isPast && date.slice(0, 4) === today.slice(0, 4);
    total.sum += micros;
    total.currency = currency;
    if (isGift) total.count += 1;
    if (isGift && isPast && (total.first === null || date < total.first)) total.first = date;
    if (isGift && isPast && (total.last === null || date > total.last)) total.last = date;
    if (isThisYear) total.yearSum += micros;
    if (isThisYear && isGift) total.yearCount += 1;
  }
  return totals;
};

/** Whether a person, as Twenty returns it, carries these totals. An empty field equals a zero. */
export const carries = (person, total = nothing()) => {
  const money = (field, sum) =>
    BigInt(person[field]?.amountMicros ?? 0) === sum && (sum === 0n || person[field].currencyCode === total.currency);
  return (
    money('lifetimeGiftAmount', total.sum) &&
    money('yearToDateGiftAmount', total.yearSum) &&
    (person.lifetimeGiftCount ?? 0) === total.count &&
    (person.yearToDateGiftCount ?? 0) === total.yearCount &&
    (person.firstGiftDate ?? null) === total.first &&
    (person.lastGiftDate ?? null) === total.last
  );
};
