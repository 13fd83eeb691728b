// A whole comparison without a write: what `drift` and `rebuild --dry-run` have in common.

import { resolve } from 'node:path';

import type { Report, RunTotals } from '../../index.js';
import type { Context } from '../context.js';
import { type Change, ChangesFile } from '../csv.js';
import { callEngine, throwIfError } from '../engine.js';
import { EXIT, type ExitCode, type Outcome, exitOf, incompleteReasons } from '../outcome.js';
import { isPartOfAll, selectionOf } from '../selection.js';
import { formatCount, formatNumber } from '../text.js';
import { type RunReport, nothingToDo, showDrift, showRequests, showSkipped, showProblems } from '../show.js';
import { checkWorkspace } from '../workspace.js';

interface Wording {
  /** What the values would do: `are wrong`. */
  would: string;
  /** What to do about it. */
  next: string;
  /** Whether wrong values are a failure of the command. */
  failsOnDrift: boolean;
}

export async function compare(context: Context, { would, next, failsOnDrift }: Wording): Promise<Outcome> {
  const { host, screen, settings, flags, fetch } = context;
  const selection = await selectionOf(context);
  const { only, records } = selection;
  await checkWorkspace(settings, fetch);
  const csv = flags.csv ? new ChangesFile(resolve(host.folder, flags.csv)) : undefined;
  let report: Report;
  try {
    // One run to its end: a dry run cannot be taken up again, as it has written nothing to go on from.
    report = await callEngine(context, { dryRun: true, ...records }, {
      timeLimitSeconds: flags.timeLimit,
      only,
      onEvent: (event) => event.event === 'difference_found' && csv?.add(event as unknown as Change),
    });
  } finally {
    csv?.close();
  }
  throwIfError(report);

  if (report.status === 'noop') return nothingToDo(screen, report);
  const { totals } = report;
  const drift = report.drift!;
  const found = drift.values > 0;
  const reasons = incompleteReasons(report, settings.config);
  const compared = formatCount(totals.processed, 'parent');
  const since = drift.since ? `, since ${drift.since} at the earliest` : '';
  screen.print(
    found
      ? `${formatCount(drift.values, 'value')} of ${formatCount(drift.parents, 'parent')} ${would}, of ${compared} compared${since}`
      : `${compared} compared at ${settings.url} by ${settings.source}: ${reasons.length > 0 ? 'nothing wrong was found, but not everything was compared' : rightOf(totals, isPartOfAll(selection))}`,
  );
  showRequests(screen, report.requests, report.tookMs);
  showDrift(screen, drift, flags.sample);
  showProblems(screen, report);
  showSkipped(screen, report.skipped, settings.config);
  if (csv) screen.print(`${formatNumber(drift.values)} lines in ${flags.csv}`);
  if (report.status === 'partial') screen.print(`Not all parents could be compared: ${report.message ?? 'see above'}`);
  else if (reasons.length > 0) screen.print(`Whether the other totals are right is not known: ${reasons.join('; ')}`);
  if (found) screen.print(next);
  const notThere = records !== undefined && totals.processed === 0;
  if (notThere) screen.print(`None of these is a live ${records.parentObject} of ${settings.url}; --object says what they are.`);

  const complete = reasons.length === 0;
  return { exit: notThere ? EXIT.wrong : exitOfComparison(report, { found, complete, failsOnDrift }), document: { csv: flags.csv ?? null, complete, report } };
}

/** Wrong values that were found decide the exit code; where none were, an incomplete comparison does. */
function exitOfComparison(report: RunReport, { found, complete, failsOnDrift }: { found: boolean; complete: boolean; failsOnDrift: boolean }): ExitCode {
  if (found) return exitOf(report) || (failsOnDrift ? EXIT.wrong : complete ? EXIT.ok : EXIT.unknown);
  return complete ? EXIT.ok : EXIT.unknown;
}

/** @param isPart whether some totals were left out, by `--only` or `--ids` */
const rightOf = ({ processed, mixedCurrency }: RunTotals, isPart: boolean) => {
  if (processed === 0) return 'there is no total to compare';
  const every = isPart ? 'every total of these is right' : 'every total is right';
  return mixedCurrency > 0 ? `${every}, apart from ${formatCount(mixedCurrency, 'parent')} with gifts in several currencies` : every;
};
