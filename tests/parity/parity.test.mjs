/**
 * The cases of the earlier TypeScript function, through the built wasm. They lie beside the project, in
 * ../shared/rollup-parity; where they are absent this says so and checks nothing.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { computeTotals } from '../../pkg/rollups/node.js';

const CASES = fileURLToPath(new URL('../../../shared/rollup-parity/cases.jsonl', import.meta.url));
const EXPECTED_CASES = 250;

/** The one permitted difference that occurs: an empty sum has the code `""` in the reference, and Twenty stores null. */
const emptySum = (code) => JSON.stringify({ amountMicros: 0, currencyCode: code });
const isPermitted = (expected, found) =>
  JSON.stringify(expected) === emptySum('') && JSON.stringify(found) === emptySum(null);

test('the wasm gives the totals of the reference', (t) => {
  if (!existsSync(CASES)) {
    console.log(`SKIPPED: the parity cases are not here (${CASES})`);
    return;
  }
  const cases = readFileSync(CASES, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  const permitted = [];
  for (const { name, now, definition, records, expected } of cases) {
    const found = computeTotals(definition, records, { now });
    for (const [field, value] of Object.entries(expected)) {
      if (isPermitted(value, found[field])) permitted.push(`${name}.${field}`);
      else assert.deepEqual(found[field], value, `${name}.${field}`);
    }
    assert.deepEqual(Object.keys(found).sort(), Object.keys(expected).sort(), name);
  }
  assert.equal(cases.length, EXPECTED_CASES);
  t.diagnostic(`${cases.length} of ${EXPECTED_CASES} cases`);
  t.diagnostic(`${permitted.length} empty sums with the code null instead of "": ${permitted.join(' ')}`);
});
