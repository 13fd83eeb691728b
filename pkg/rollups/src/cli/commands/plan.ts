// What would a rebuild cost, and how would it go about it? Nothing is written.

import type { DefinitionCounts, DefinitionPlan } from '../../index.js';
import type { Command } from '../context.js';
import { callEngine, throwIfError } from '../engine.js';
import { selectionOf } from '../selection.js';
import { exitOf } from '../outcome.js';
import { type RunReport, definitionName, nothingToDo, showList, showSkipped } from '../show.js';
import { formatCount, formatNumber, formatRange, hanging } from '../text.js';
import { checkWorkspace } from '../workspace.js';

export const plan: Command = async (context) => {
  const { screen, settings, flags, fetch } = context;
  await checkWorkspace(settings, fetch);
  const { only } = await selectionOf(context);
  const report = await callEngine(context, { plan: true }, { timeLimitSeconds: flags.timeLimit, only });
  throwIfError(report);
  if (report.status === 'noop') return nothingToDo(screen, report);
  const plan = report.plan!;

  screen.print(`A rebuild of ${settings.url} by ${settings.source}`);
  screen.print();
  for (const entry of plan.definitions) {
    const number = `  ${entry.definition}  `;
    for (const line of hanging(number, definitionName(named(entry, report)))) screen.print(line);
    for (const line of hanging(' '.repeat(number.length), `${entry.reading}, ${shareOf(entry)}: ${entry.why}`)) screen.print(line);
  }
  screen.print();
  const counts = Object.entries(plan.counts).map(([object, number]) => `${number === null ? 'unknown' : formatNumber(number)} ${object}`);
  const say = (label: string, text: string) => hanging(`  ${label.padEnd(10)} `, text).forEach((line) => screen.print(line));
  say('records', counts.join(', '));
  say('to read', `${formatCount(plan.reads, 'request')}: ${plan.why}`);
  say('to write', `at most ${formatCount(plan.writesAtMost, 'request')}, if every total were wrong`);
  say('time', `${formatRange(plan.seconds, plan.secondsAtMost)}, by how long the server takes for a write; more if others use the budget`);
  showSkipped(screen, report.skipped, settings.config);
  showList(screen, 'Worth knowing:', report.notes);
  return { exit: exitOf(report), document: { report } };
};

/** Definitions that are read together have no requests of their own. */
const shareOf = ({ reads }: DefinitionPlan) => (reads > 0 ? formatCount(reads, 'request') : 'shared');

/** The relation field stands in the list of all definitions. */
const named = (entry: DefinitionPlan, { details }: RunReport): Partial<DefinitionCounts> => ({ ...details[entry.definition], ...entry });
