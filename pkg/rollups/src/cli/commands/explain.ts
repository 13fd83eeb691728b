// How do the totals of one parent come about? Which children are counted, and why not the others?

import type { ExplainedChild, Explanation } from '../../index.js';
import type { Command } from '../context.js';
import { callEngine, throwIfError } from '../engine.js';
import { EXIT, incompleteReasons, usage } from '../outcome.js';
import type { Screen } from '../screen.js';
import { definitionsOf } from '../settings.js';
import { MAX_SHOWN, type RunReport, nothingToDo, showSkipped } from '../show.js';
import { formatCount, formatNumber, formatTotal, table } from '../text.js';
import { checkWorkspace } from '../workspace.js';

const DEFAULT_OBJECT = 'person';

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export const explain: Command = async (context, id = '') => {
  const { screen, settings, flags, fetch } = context;
  if (!ID.test(id)) throw usage('invalid_id', `\`${id}\` is no id of a record`, 'It stands at the end of the address of the record’s page in Twenty.');
  const parentObject = flags.object ?? defaultObject(settings.config);
  await checkWorkspace(settings, fetch);
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
  const right = totals.every((entry) => entry.right);
  const complete = totals.length > 0 && incompleteReasons(ofParent(report, settings.config, parentObject), settings.config).length === 0;
  screen.print();
  screen.print(verdict(right, complete));
  showSkipped(screen, report.skipped, settings.config);
  const exit = right ? (complete ? EXIT.ok : EXIT.unknown) : EXIT.wrong;
  return { exit, document: { complete, report } };
};

function verdict(right: boolean, complete: boolean): string {
  if (!right) return 'Not every total is right. To put them right: twenty-rollups rebuild';
  return complete ? 'Every total is right.' : 'What is shown is right, but not every total could be computed.';
}

/** The report without the definitions that write to other objects: they have no total of this parent. */
function ofParent(report: RunReport, config: unknown, parentObject: string): Parameters<typeof incompleteReasons>[0] {
  const skipped = report.skipped.filter((entry) => (definitionsOf(config)[entry.definition]?.parentObject ?? parentObject) === parentObject);
  // A definition with an impossible value makes the run partial, whichever object it writes to.
  const status = report.code === 'invalid_value' ? 'ok' : report.status;
  return { ...report, status, skipped };
}

/** A person, unless the definitions are about one other object alone. */
function defaultObject(config: unknown): string {
  const parents = new Set(definitionsOf(config).map(({ parentObject }) => parentObject));
  const [only] = parents;
  return parents.size === 1 && only ? only : DEFAULT_OBJECT;
}

function showDefinition(
  screen: Screen,
  { definition, childObject, relationField, children, totals }: Explanation['definitions'][number],
  all: boolean | undefined,
): void {
  const counted = children.filter((child) => child.counted).length;
  screen.print();
  screen.print(`Definition ${definition}, by ${childObject}.${relationField}: ${formatNumber(counted)} of ${formatCount(children.length, 'record')} counted`);
  const shown = all ? children : children.slice(0, MAX_SHOWN);
  for (const child of shown) screen.print(`  ${childObject} ${child.id}  ${inWords(child)}`);
  if (shown.length < children.length) screen.print(`  … and ${formatNumber(children.length - shown.length)} more: --all shows them`);
  screen.print();
  const rows = totals.map(({ parentField, stored, computed, right }) => [parentField, formatTotal(stored), formatTotal(computed), right ? 'right' : 'wrong']);
  const [head = '', ...lines] = table([['field', 'stored', 'computed', ''], ...rows]);
  screen.print(head);
  lines.forEach((line, index) => screen.print(totals[index]!.right ? line : screen.colors.red(line)));
}

function inWords({ counted, why, leftOutOf }: ExplainedChild): string {
  if (!counted) return `not counted: ${why}`;
  // Totals that share a condition share the reason.
  const fields = new Map<string, string[]>();
  for (const { parentField, why } of leftOutOf) fields.set(why, [...(fields.get(why) ?? []), parentField]);
  return ['counted', ...[...fields].map(([why, names]) => `not in ${names.join(', ')}: ${why}`)].join('; ');
}
