// How a total is spread over the parents: from groups of equal values to the columns of a chart.

/** Parents with one value of a total. */
export interface ValueGroup {
  /** In the currency's unit; a day as its year; null for an empty field. */
  value: number | null;
  /** Currency of an amount. */
  code: string | null;
  parents: number;
}

export interface Bin {
  label: string;
  tick: string;
  parents: number;
}

export interface Distribution {
  bins: Bin[];
  /** Parents with a value other than zero. */
  counted: number;
  /** Parents without a value, or with a zero. */
  none: number;
  median: number;
  total: number;
  /** Share of the total that the tenth of the parents with the most have; absent for few parents, and beside negative values. */
  topTenthShare?: number;
}

const FEWEST_FOR_SHARE = 10;
const MAX_BINS = 14;
const COUNT_EDGES = [1, 2, 3, 4, 5, 6, 11, 21, 51, 101];
const MAX_YEARS = 15;

/** @param ticks how a bound is written on the axis */
export function amountDistribution(groups: readonly ValueGroup[], ticks: (value: number) => string): Distribution {
  const given = valued(groups);
  const positive = given.filter(({ value }) => value > 0);
  const edges = amountEdges(positive);
  return { ...summary(groups, given), bins: [...negativeBin(given), ...binsBetween(positive, edges, (from, to) => `${ticks(from)} to ${ticks(to)}`, ticks)] };
}

export function countDistribution(groups: readonly ValueGroup[]): Distribution {
  const given = valued(groups);
  const positive = given.filter(({ value }) => value > 0);
  const most = Math.max(0, ...positive.map(({ value }) => value));
  const last = COUNT_EDGES.findIndex((edge) => edge > most);
  const edges = last < 0 ? [...COUNT_EDGES, Infinity] : COUNT_EDGES.slice(0, last + 1);
  const between = (from: number, to: number, dash: string, more: string) =>
    to === from + 1 ? String(from) : to === Infinity ? `${from}${more}` : `${from}${dash}${to - 1}`;
  const label = (from: number, to: number) => between(from, to, ' to ', ' and more');
  const tick = (from: number, to: number) => between(from, to, '–', '+');
  return { ...summary(groups, given), bins: [...negativeBin(given), ...binsBetween(positive, edges, label, tick)] };
}

/** Parents by the year of a day. */
export function yearDistribution(groups: readonly ValueGroup[]): Distribution {
  const given = valued(groups);
  const years = new Map<number, number>();
  for (const { value, parents } of given) years.set(value, (years.get(value) ?? 0) + parents);
  const latest = Math.max(...years.keys());
  const first = Math.max(Math.min(...years.keys()), latest - MAX_YEARS + 1);
  const bins: Bin[] = [];
  const earlier = given.filter(({ value }) => value < first).reduce((sum, { parents }) => sum + parents, 0);
  if (earlier > 0) bins.push({ label: `before ${first}`, tick: 'earlier', parents: earlier });
  if (years.size > 0) {
    for (let year = first; year <= latest; year += 1) bins.push({ label: String(year), tick: String(year), parents: years.get(year) ?? 0 });
  }
  const { topTenthShare: _, ...rest } = summary(groups, given);
  return { ...rest, bins };
}

type Valued = ValueGroup & { value: number };

const valued = (groups: readonly ValueGroup[]) => groups.filter((group): group is Valued => group.value !== null && group.value !== 0);

const countOf = (groups: readonly ValueGroup[]) => groups.reduce((sum, { parents }) => sum + parents, 0);

function summary(groups: readonly ValueGroup[], given: Valued[]): Omit<Distribution, 'bins'> {
  const counted = countOf(given);
  const sorted = given.toSorted((one, other) => one.value - other.value);
  const total = given.reduce((sum, { value, parents }) => sum + value * parents, 0);
  const median = counted === 0 ? 0 : (valueAt(sorted, Math.floor((counted - 1) / 2)) + valueAt(sorted, Math.floor(counted / 2))) / 2;
  const negative = given.some(({ value }) => value < 0);
  const share = counted >= FEWEST_FOR_SHARE && !negative && total > 0 ? sumOfGreatest(sorted, Math.round(counted / 10)) / total : undefined;
  return { counted, none: countOf(groups) - counted, median, total, ...(share !== undefined && { topTenthShare: share }) };
}

/** The value of the parent at this place, from the least on. */
function valueAt(sorted: Valued[], place: number): number {
  let passed = 0;
  for (const { value, parents } of sorted) {
    passed += parents;
    if (place < passed) return value;
  }
  return 0;
}

function sumOfGreatest(sorted: Valued[], many: number): number {
  let left = many;
  let sum = 0;
  for (const { value, parents } of sorted.toReversed()) {
    const taken = Math.min(left, parents);
    sum += value * taken;
    left -= taken;
  }
  return sum;
}

const negativeBin = (given: Valued[]): Bin[] => {
  const parents = countOf(given.filter(({ value }) => value < 0));
  return parents > 0 ? [{ label: 'below zero', tick: '< 0', parents }] : [];
};

/** Bounds of 1, 2 and 5 times a power of ten, or of the powers alone where there would be too many. */
function amountEdges(positive: Valued[]): number[] {
  if (positive.length === 0) return [];
  const values = positive.map(({ value }) => value);
  const least = values.reduce((one, other) => Math.min(one, other));
  const most = values.reduce((one, other) => Math.max(one, other));
  const edgesBy = (steps: number[]) => {
    const edges: number[] = [];
    for (let power = Math.floor(Math.log10(least)) - 1; ; power += 1) {
      for (const step of steps) {
        const edge = Number((step * 10 ** power).toPrecision(1));
        // The last of those at or below the least value is where it begins.
        if (edge <= least) edges.length = 0;
        edges.push(edge);
        if (edge > most) return edges;
      }
    }
  };
  const fine = edgesBy([1, 2, 5]);
  return fine.length - 1 <= MAX_BINS ? fine : edgesBy([1]);
}

function binsBetween(groups: Valued[], edges: number[], label: (from: number, to: number) => string, tick: (from: number, to: number) => string): Bin[] {
  return edges.slice(0, -1).map((from, index) => {
    const to = edges[index + 1]!;
    return { label: label(from, to), tick: tick(from, to), parents: countOf(groups.filter(({ value }) => value >= from && value < to)) };
  });
}
