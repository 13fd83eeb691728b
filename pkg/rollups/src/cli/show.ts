// The parts that the output of several commands shares.

import type { CompleteReport, Definition, Drift, PartialReport, RequestCounts, Skipped } from '../index.js';
import { type Outcome, exitOf } from './outcome.js';
import type { Screen } from './screen.js';
import { definitionsOf } from './settings.js';
import { WIDTH, formatCount, formatDuration, formatNumber, formatTotal, hanging, table } from './text.js';

/** Lines of a list that are shown; the rest is in the report of `--json`. */
const DEFAULT_SHOWN = 10;
/** Lines of a list that is worth more room. */
export const MAX_SHOWN = 50;

/** The report of a run that could begin. */
export type RunReport = CompleteReport | PartialReport;

export const definitionName = ({ parentObject, childObject, relationField }: Partial<Definition>): string =>
  `${parentObject} ← ${childObject}.${relationField}`;

/** `definition 2 (person ← gift.donorId), aggregation 0 (lifetimeGiftAmount)` */
export const placeOf = ({ definition, aggregation }: Skipped, config: unknown): string => {
  const found = definitionsOf(config)[definition];
  const field = aggregation === null ? undefined : found?.aggregations?.[aggregation]?.parentField;
  const whole = found ? ` (${definitionName(found)})` : '';
  const part = aggregation === null ? '' : `, aggregation ${aggregation}${field ? ` (${field})` : ''}`;
  return `definition ${definition}${whole}${part}`;
};

/** A list with a head, cut where it gets long. */
export function showList(screen: Screen, head: string, lines: string[], shown = DEFAULT_SHOWN): void {
  if (lines.length === 0) return;
  screen.print(head);
  for (const line of lines.slice(0, shown)) screen.print(`  ${line}`);
  if (lines.length > shown) screen.print(`  … and ${formatNumber(lines.length - shown)} more`);
}

/** What was left out; of the built-in definitions, which no workspace has all of, only the numbers. */
export function showSkipped(screen: Screen, skipped: Skipped[], config: unknown): void {
  if (config === undefined && skipped.length > 0) {
    const numbers = [...new Set(skipped.map(({ definition }) => definition))].join(', ');
    screen.print(`Left out of the built-in definitions, as the workspace lacks what they name: ${numbers} (twenty-rollups validate lists it)`);
    return;
  }
  showList(screen, 'Left out:', skipped.map((entry) => `${placeOf(entry, config)}: ${entry.reason}`), MAX_SHOWN);
}

export function showRequests(screen: Screen, { total: all, throttled, retried, waitedMs }: RequestCounts, tookMs: number, runs = 1): void {
  const more = [
    throttled > 0 && `${formatNumber(throttled)} refused by the rate limit`,
    retried > 0 && `${formatNumber(retried)} sent again`,
    waitedMs >= 1000 && `${formatDuration(waitedMs)} of waiting`,
    runs > 1 && `${runs} runs`,
  ].filter(Boolean);
  screen.print(`  ${[`${formatCount(all, 'request')} in ${formatDuration(tookMs)}`, ...more].join(', ')}`);
}

export function showProblems(screen: Screen, { failures, mixedCurrency, notes }: RunReport): void {
  showList(screen, 'Not right:', failures.map(({ parentObject, id, message }) => `${parentObject} ${id}: ${message}`));
  showList(
    screen,
    'Gifts in several currencies, which are not added together:',
    mixedCurrency.map(({ parentObject, id, field, currencies }) => `${parentObject} ${id}, ${field}: ${currencies.map((code) => code || 'none').join(', ')}`),
  );
  showList(screen, 'Worth knowing:', notes);
}

/** Wrong values: how many in which field, and some of them. */
export function showDrift(screen: Screen, drift: Drift, examples = DEFAULT_SHOWN, head = 'wrong values'): void {
  const fields = Object.entries(drift.fields ?? {});
  if (fields.length > 0) {
    for (const line of table([['field', head], ...fields.map(([field, wrong]) => [field, formatNumber(wrong)])], [1])) screen.print(line);
  }
  const shown = (drift.examples ?? []).slice(0, examples);
  if (shown.length === 0) return;
  screen.print();
  screen.print(`${shown.length < drift.values ? formatCount(shown.length, 'example') : 'All of them'}, stored → right:`);
  let last: string | undefined;
  for (const { parentObject, id, field, stored, computed } of shown) {
    const parent = `  ${parentObject} ${id}`;
    if (parent !== last) screen.print(parent);
    last = parent;
    for (const line of change(field, formatTotal(stored), formatTotal(computed))) screen.print(line);
  }
}

/** What stands in a field and what belongs there, on one line where that fits. */
function change(field: string, stored: string, right: string): string[] {
  const line = `    ${field.padEnd(20)}  ${stored} → ${right}`;
  return line.length <= WIDTH ? [line] : [`    ${field}`, ...hanging('      stored  ', stored), ...hanging('      right   ', right)];
}

/** The end of a command whose run had nothing to do. */
export function nothingToDo(screen: Screen, report: RunReport): Outcome {
  screen.print(`Nothing to do: ${report.message ?? 'there are no definitions'}`);
  return { exit: exitOf(report), document: { report } };
}
