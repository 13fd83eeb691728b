// How do the totals of one parent come about? Which children are counted, and why not the others?

import type { ExplainedChild, Explanation } from '../../index.js';
import type { Command } from '../context.js';
import { callEngine, throwIfError } from '../engine.js';
import { EXIT, incompleteReasons } from '../outcome.js';
import { recordTests } from '../recording.js';
import type { Screen } from '../screen.js';
import { defaultObject, requireId } from '../selection.js';
import { definitionsOf } from '../settings.js';
import { MAX_SHOWN, type RunReport, nothingToDo, showSkipped } from '../show.js';
import { WIDTH, fittedTable, formatCount, formatNumber, formatTotal, hanging, wrap } from '../text.js';
import { checkWorkspace } from '../workspace.js';

export const explain: Command = async (context, id = '') => {
  const { screen, settings, flags, fetch } = context;
  requireId(id);
  const parentObject = flags.object ?? defaultObject(definitionsOf(settings.config));
  await checkWorkspace(settings, fetch);
  const recorder = flags.recordTest ? recordTests(context, flags.recordTest) : undefined;
  const report = await callEngine(context, { explain: { parentObject, id } });
  throwIfError(report);

  if (report.status === 'noop') return nothingToDo(screen, report);
  const { found, definitions } = report.explanation!;
  if (!found) {
    screen.print(`There is no ${parentObject} ${id} in ${settings.url}, or it is deleted, or no definition writes to a ${parentObject}.`);
    showSkipped(screen, report.skipped, settings.config);
    return { exit: EXIT.wrong, document: { report } };
  }
  screen.print(`${parentObject} ${id}`);
  for (const entry of definitions) showDefinition(screen, entry, flags.all);
  const totals = definitions.flatMap((entry) => entry.totals);
  const right = totals.every((entry) => entry.right !== false);
  const left = totals.filter((entry) => entry.right === null).length;
  const complete = totals.length > 0 && incompleteReasons(ofParent(report, settings.config, parentObject), settings.config).length === 0;
  screen.print();
  screen.print(verdict(right, complete, left));
  showSkipped(screen, report.skipped, settings.config);
  const recorded = await recorder?.(report.explanation!);
  const exit = right ? (complete ? EXIT.ok : EXIT.unknown) : EXIT.wrong;
  return { exit, document: { complete, report, ...(recorded && { recorded }) } };
};

/** @param left how many totals have no right value, and are left as they are */
function verdict(right: boolean, complete: boolean, left: number): string {
  if (!right) return 'Not every total is right. To put them right: twenty-rollups rebuild';
  if (!complete) return 'What is shown is right, but not every total could be computed.';
  return left > 0 ? `Every total is right, apart from ${left} that a rebuild leaves as ${left === 1 ? 'it is' : 'they are'}.` : 'Every total is right.';
}

/** The report without the definitions that write to other objects: they have no total of this parent. */
function ofParent(report: RunReport, config: unknown, parentObject: string): Parameters<typeof incompleteReasons>[0] {
  const skipped = report.skipped.filter((entry) => (definitionsOf(config)[entry.definition]?.parentObject ?? parentObject) === parentObject);
  // A definition with an impossible value makes the run partial, whichever object it writes to.
  const status = report.code === 'invalid_value' ? 'ok' : report.status;
  return { ...report, status, skipped };
}

function showDefinition(
  screen: Screen,
  { definition, childObject, relationField, children, totals }: Explanation['definitions'][number],
  all: boolean | undefined,
): void {
  const counted = children.filter((child) => child.counted).length;
  screen.print();
  const title = `Definition ${definition}, by ${childObject}.${relationField}: `;
  for (const line of wrap(`${title}${formatNumber(counted)} of ${formatCount(children.length, 'record')} counted`)) screen.print(line);
  const shown = all ? children : children.slice(0, MAX_SHOWN);
  for (const child of shown) {
    const [head, words] = [`  ${childObject} ${child.id}`, inWords(child)];
    const line = `${head}  ${words}`;
    for (const text of line.length <= WIDTH ? [line] : [head, ...hanging('    ', words)]) screen.print(text);
  }
  if (shown.length < children.length) screen.print(`  … and ${formatNumber(children.length - shown.length)} more: --all shows them`);
  screen.print();
  const words = (right: boolean | null) => (right === null ? 'left' : right ? 'right' : 'wrong');
  const cells = totals.map(({ parentField, stored, computed, right }) => [parentField, formatTotal(stored), formatTotal(computed), words(right)]);
  const { head, rows } = fittedTable([['field', 'stored', 'computed', ''], ...cells]);
  head.forEach((line) => screen.print(line));
  rows.forEach((lines, index) => lines.forEach((line) => screen.print(totals[index]!.right === false ? screen.colors.red(line) : line)));
}

function inWords({ counted, why, leftOutOf }: ExplainedChild): string {
  if (!counted) return `not counted: ${why}`;
  // Totals that share a condition share the reason.
  const fields = new Map<string, string[]>();
  for (const { parentField, why } of leftOutOf) fields.set(why, [...(fields.get(why) ?? []), parentField]);
  return ['counted', ...[...fields].map(([why, names]) => `not in ${names.join(', ')}: ${why}`)].join('; ');
}
