// What would a rebuild cost, and how would it go about it? Nothing is written.

import type { DefinitionCounts, DefinitionPlan } from '../../index.js';
import type { Command } from '../context.js';
import { callEngine, throwIfError } from '../engine.js';
import { exitOf } from '../outcome.js';
import { type RunReport, definitionName, nothingToDo, showList, showSkipped } from '../show.js';
import { formatCount, formatDuration, formatNumber, table } from '../text.js';
import { checkWorkspace } from '../workspace.js';

export const plan: Command = async (context) => {
  const { screen, settings, flags, fetch } = context;
  await checkWorkspace(settings, fetch);
  const report = await callEngine(context, { plan: true }, { timeLimitSeconds: flags.timeLimit });
  throwIfError(report);
  if (report.status === 'noop') return nothingToDo(screen, report);
  const plan = report.plan!;

  screen.print(`A rebuild of ${settings.url} by ${settings.source}`);
  screen.print();
  const rows = plan.definitions.map((entry) => [String(entry.definition), definitionName(named(entry, report)), entry.reading, shareOf(entry), entry.why]);
  for (const line of table([['', 'definition', 'reading', 'requests', 'why'], ...rows], [0, 3])) screen.print(line);
  screen.print();
  const counts = Object.entries(plan.counts).map(([object, number]) => `${number === null ? 'unknown' : formatNumber(number)} ${object}`);
  screen.print(`  records    ${counts.join(', ')}`);
  screen.print(`  to read    ${formatCount(plan.reads, 'request')}: ${plan.why}`);
  screen.print(`  to write   at most ${formatCount(plan.writesAtMost, 'request')}, if every total were wrong`);
  screen.print(`  time       about ${estimate(plan.seconds)}, if nobody else uses the budget`);
  showSkipped(screen, report.skipped, settings.config);
  showList(screen, 'Worth knowing:', report.notes);
  return { exit: exitOf(report), document: { report } };
};

/** Definitions that are read together have no requests of their own. */
const shareOf = ({ reads }: DefinitionPlan) => (reads > 0 ? formatNumber(reads) : 'shared');

/** Whole seconds: an estimate knows no tenths. */
const estimate = (seconds: number) => (seconds < 10 ? `${Math.max(1, seconds)} s` : formatDuration(seconds * 1000));

/** The relation field stands in the list of all definitions. */
const named = (entry: DefinitionPlan, { details }: RunReport): Partial<DefinitionCounts> => ({ ...details[entry.definition], ...entry });
