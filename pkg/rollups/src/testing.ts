// The library's part for tests of one's own totals, for `node:test` and its like.

import { computeTotals, validateDefinitions } from './node.js';
import { type TestTotals, testTotalsBy } from './test-totals.js';

export type { Configuration, Definition, Fault, Money, Total } from './index.js';
export type * from './test-file.js';
export type { TestError, TestResult, TestTotals } from './test-totals.js';

/**
 * What each case of a `rollups.test.json` comes to by these definitions: no network.
 *
 * @throws {TestError} with `faults`, if the definitions or the cases are not as they should be
 */
export const testTotals: TestTotals = testTotalsBy({ computeTotals, validateDefinitions });
