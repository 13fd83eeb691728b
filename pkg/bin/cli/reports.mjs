// The reports of the runs of one rebuild as one: the end is the last one's, the counts are added up.

const sum = (values) => values.reduce((all, value) => all + (value ?? 0), 0);

/** Numbers by key, added up; keys in the order of their first coming. */
const addUp = (objects) => {
  const all = {};
  for (const object of objects) for (const [key, value] of Object.entries(object ?? {})) all[key] = (all[key] ?? 0) + value;
  return all;
};

const unique = (values) => [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];

const requests = (all) => {
  const { byEndpoint: _, ...counts } = Object.assign({}, ...all);
  const added = Object.keys(counts).filter((key) => typeof counts[key] === 'number');
  return {
    ...counts,
    ...Object.fromEntries(added.map((key) => [key, sum(all.map((one) => one[key]))])),
    byEndpoint: addUp(all.map((one) => one.byEndpoint)),
  };
};

const drift = (all) => {
  const [first] = all;
  return {
    ...first,
    parents: sum(all.map((one) => one.parents)),
    values: sum(all.map((one) => one.values)),
    fields: addUp(all.map((one) => one.fields)),
    examples: all.flatMap((one) => one.examples).slice(0, 20),
  };
};

const details = (all) =>
  all.at(-1).map((entry, index) => ({
    ...entry,
    processed: sum(all.map((one) => one[index]?.processed)),
    updated: sum(all.map((one) => one[index]?.updated)),
  }));

/** @param {object[]} reports in the order of the runs, at least one */
export function merge(reports) {
  const last = reports.at(-1);
  if (reports.length === 1) return last;
  const all = (key) => reports.map((report) => report[key]).filter((value) => value !== undefined && value !== null);
  const merged = { ...last, tookMs: sum(all('tookMs')), totals: addUp(all('totals')), requests: requests(all('requests')) };
  // A parent that one run failed to write is in the checkpoint of that run: only the last one's word counts.
  merged.totals.failed = last.totals?.failed ?? 0;
  if (all('details').length > 0) merged.details = details(all('details'));
  if (all('drift').length > 0) merged.drift = drift(all('drift'));
  for (const list of ['skipped', 'mixedCurrency', 'notes']) merged[list] = unique(all(list).flat()).slice(0, 100);
  merged.plan = reports[0].plan ?? null;
  return merged;
}
