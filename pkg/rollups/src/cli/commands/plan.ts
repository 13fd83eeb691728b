// What would a rebuild cost, and how would it go about it? Nothing is written.

import { callEngine, refuseError } from '../engine.mjs';
import { exitOf } from '../outcome.mjs';
import { definitionName, nothingToDo, showList, showSkipped } from '../show.mjs';
import { count, duration, group, table } from '../text.mjs';
import { seeWorkspace } from '../workspace.mjs';

export async function plan(context) {
  const { screen, settings, flags, fetch } = context;
  await seeWorkspace(settings, fetch);
  const report = await callEngine(context, { plan: true }, { timeLimitSeconds: flags.timeLimit });
  refuseError(report);
  if (report.status === 'noop') return nothingToDo(screen, report);
  const { plan } = report;

  screen.say(`A rebuild of ${settings.url} by ${settings.source}`);
  screen.say();
  const rows = plan.definitions.map((entry) => [String(entry.definition), definitionName(named(entry, report)), entry.reading, shareOf(entry), entry.why]);
  for (const line of table([['', 'definition', 'reading', 'requests', 'why'], ...rows], [0, 3])) screen.say(line);
  screen.say();
  const counts = Object.entries(plan.counts).map(([object, number]) => `${number === null ? 'unknown' : group(number)} ${object}`);
  screen.say(`  records    ${counts.join(', ')}`);
  screen.say(`  to read    ${count(plan.reads, 'request')}: ${plan.why}`);
  screen.say(`  to write   at most ${count(plan.writesAtMost, 'request')}, if every total were wrong`);
  screen.say(`  time       about ${estimate(plan.seconds)}, if nobody else uses the budget`);
  showSkipped(screen, report.skipped, settings.config);
  showList(screen, 'Worth knowing:', report.notes ?? []);
  return { exit: exitOf(report), document: { report } };
}

/** Definitions that are read together have no requests of their own. */
const shareOf = ({ reads }) => (reads > 0 ? group(reads) : 'shared');

/** Whole seconds: an estimate knows no tenths. */
const estimate = (seconds) => (seconds < 10 ? `${Math.max(1, seconds)} s` : duration(seconds * 1000));

/** The relation field stands in the list of all definitions. */
const named = (entry, { details = [] }) => ({ ...details[entry.definition], ...entry });
