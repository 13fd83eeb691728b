// What would a rebuild cost, and how would it go about it? Nothing is written.

import type { DefinitionCounts, DefinitionPlan } from '../../index.js';
import type { Command } from '../context.js';
import { callEngine, refuseError } from '../engine.js';
import { exitOf } from '../outcome.js';
import { type RanReport, definitionName, nothingToDo, showList, showSkipped } from '../show.js';
import { count, duration, group, table } from '../text.js';
import { seeWorkspace } from '../workspace.js';

export const plan: Command = async (context) => {
  const { screen, settings, flags, fetch } = context;
  await seeWorkspace(settings, fetch);
  const report = await callEngine(context, { plan: true }, { timeLimitSeconds: flags.timeLimit });
  refuseError(report);
  if (report.status === 'noop') return nothingToDo(screen, report);
  const plan = report.plan!;

  screen.print(`A rebuild of ${settings.url} by ${settings.source}`);
  screen.print();
  const rows = plan.definitions.map((entry) => [String(entry.definition), definitionName(named(entry, report)), entry.reading, shareOf(entry), entry.why]);
  for (const line of table([['', 'definition', 'reading', 'requests', 'why'], ...rows], [0, 3])) screen.print(line);
  screen.print();
  const counts = Object.entries(plan.counts).map(([object, number]) => `${number === null ? 'unknown' : group(number)} ${object}`);
  screen.print(`  records    ${counts.join(', ')}`);
  screen.print(`  to read    ${count(plan.reads, 'request')}: ${plan.why}`);
  screen.print(`  to write   at most ${count(plan.writesAtMost, 'request')}, if every total were wrong`);
  screen.print(`  time       about ${estimate(plan.seconds)}, if nobody else uses the budget`);
  showSkipped(screen, report.skipped, settings.config);
  showList(screen, 'Worth knowing:', report.notes);
  return { exit: exitOf(report), document: { report } };
};

/** Definitions that are read together have no requests of their own. */
const shareOf = ({ reads }: DefinitionPlan) => (reads > 0 ? group(reads) : 'shared');

/** Whole seconds: an estimate knows no tenths. */
const estimate = (seconds: number) => (seconds < 10 ? `${Math.max(1, seconds)} s` : duration(seconds * 1000));

/** The relation field stands in the list of all definitions. */
const named = (entry: DefinitionPlan, { details }: RanReport): Partial<DefinitionCounts> => ({ ...details[entry.definition], ...entry });
