// How do the totals of one parent come about? Which children are counted, and why not the others?

import { callEngine, refuseError } from '../engine.mjs';
import { EXIT, unseen, usage } from '../outcome.mjs';
import { definitionsOf } from '../settings.mjs';
import { nothingToDo, showSkipped } from '../show.mjs';
import { count, group, table, total } from '../text.mjs';
import { seeWorkspace } from '../workspace.mjs';

const USUAL_OBJECT = 'person';
const SHOWN = 50;
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export async function explain(context, id) {
  const { screen, settings, flags, fetch } = context;
  if (!ID.test(id)) throw usage('invalid_id', `\`${id}\` is no id of a record`, 'It stands at the end of the address of the record’s page in Twenty.');
  const parentObject = flags.object ?? usualObject(settings.config);
  await seeWorkspace(settings, fetch);
  const report = await callEngine(context, { explain: { parentObject, id } });
  refuseError(report);

  if (report.status === 'noop') return nothingToDo(screen, report);
  const { found, definitions } = report.explanation;
  if (!found) {
    screen.say(`There is no ${parentObject} ${id} in ${settings.url}, or it is deleted, or no definition writes to a ${parentObject}.`);
    showSkipped(screen, report.skipped, settings.config);
    return { exit: EXIT.wrong, document: { report } };
  }
  screen.say(`${parentObject} ${id}`);
  for (const entry of definitions) showDefinition(screen, entry, flags.all);
  const totals = definitions.flatMap((entry) => entry.totals);
  const right = totals.every((entry) => entry.right);
  const complete = totals.length > 0 && unseen(ofParent(report, settings.config, parentObject), settings.config).length === 0;
  screen.say();
  screen.say(verdict(right, complete));
  showSkipped(screen, report.skipped, settings.config);
  const exit = right ? (complete ? EXIT.right : EXIT.unknown) : EXIT.wrong;
  return { exit, document: { complete, report } };
}

function verdict(right, complete) {
  if (!right) return 'Not every total is right. To put them right: twenty-rollups rebuild';
  return complete ? 'Every total is right.' : 'What is shown is right, but not every total could be computed.';
}

/** The report without the definitions that write to other objects: they have no total of this parent. */
function ofParent(report, config, parentObject) {
  const skipped = (report.skipped ?? []).filter((entry) => (definitionsOf(config)[entry.definition]?.parentObject ?? parentObject) === parentObject);
  // A definition with an impossible value makes the run partial, whichever object it writes to.
  const status = report.code === 'invalid_value' ? 'ok' : report.status;
  return { ...report, status, skipped };
}

/** A person, unless the definitions are about one other object alone. */
function usualObject(config) {
  const parents = new Set(definitionsOf(config).map(({ parentObject }) => parentObject));
  return parents.size === 1 ? [...parents][0] : USUAL_OBJECT;
}

function showDefinition(screen, { definition, childObject, relationField, children, totals }, all) {
  const counted = children.filter((child) => child.counted).length;
  screen.say();
  screen.say(`Definition ${definition}, by ${childObject}.${relationField}: ${group(counted)} of ${count(children.length, 'record')} counted`);
  const shown = all ? children : children.slice(0, SHOWN);
  for (const child of shown) screen.say(`  ${childObject} ${child.id}  ${said(child)}`);
  if (shown.length < children.length) screen.say(`  … and ${group(children.length - shown.length)} more: --all shows them`);
  screen.say();
  const rows = totals.map(({ parentField, stored, computed, right }) => [parentField, total(stored), total(computed), right ? 'right' : 'wrong']);
  const [head, ...lines] = table([['field', 'stored', 'computed', ''], ...rows]);
  screen.say(head);
  lines.forEach((line, index) => screen.say(totals[index].right ? line : screen.colors.red(line)));
}

function said({ counted, why, leftOutOf }) {
  if (!counted) return `not counted: ${why}`;
  // Totals that share a condition share the reason.
  const fields = new Map();
  for (const { parentField, why } of leftOutOf) fields.set(why, [...(fields.get(why) ?? []), parentField]);
  return ['counted', ...[...fields].map(([why, names]) => `not in ${names.join(', ')}: ${why}`)].join('; ');
}
