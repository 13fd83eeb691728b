// Puts every total right. A run that ends before its end is gone on with, here or by a later command.

import { isDeepStrictEqual } from 'node:util';
import { resolve } from 'node:path';

import type { Report } from '../../index.js';
import { readCheckpoint, removeCheckpoint, writeCheckpoint } from '../checkpoint-file.js';
import type { Command, Context } from '../context.js';
import { callEngine, loadEngine, throwIfError } from '../engine.js';
import { EXIT, exitOf, usage } from '../outcome.js';
import { confirm } from '../prompt.js';
import { selectionOf } from '../selection.js';
import { configurationOf } from '../settings.js';
import { type RunReport, nothingToDo, showDrift, showRequests, showSkipped, showProblems } from '../show.js';
import { formatCount, formatNumber, wrap } from '../text.js';
import { merge } from '../reports.js';
import { checkWorkspace } from '../workspace.js';
import { compare } from './compare.js';

const DEFAULT_CHECKPOINT = 'rollups-checkpoint.json';
/** As long as a function may run in Twenty: the plan is then the same. */
export const DEFAULT_TIME_LIMIT_SECONDS = 900;

/** Runs in a row that the rate limit may keep from doing anything, and the time in between. */
const MAX_IDLE_RUNS = 3;
const IDLE_INTERVAL_MS = 20_000;

export const rebuild: Command = async (context) => {
  const { host, screen, settings, flags, fetch } = context;
  if (flags.dryRun && flags.resume) throw usage('contradiction', '--dry-run begins at the beginning, and cannot go with --resume');
  if (flags.csv && !flags.dryRun) throw usage('contradiction', '--csv lists what would change: it goes with --dry-run');
  if (flags.dryRun) {
    return compare(context, { would: 'would change', next: 'To change them: twenty-rollups rebuild', failsOnDrift: false });
  }

  const { only, records } = await selectionOf(context);
  if (records && flags.resume) throw usage('contradiction', '--resume goes on where a rebuild stopped, and cannot go with --ids');
  await confirmBuiltIn(context, only);

  const shown = flags.checkpoint ?? flags.resume ?? DEFAULT_CHECKPOINT;
  const path = resolve(host.folder, shown);
  const from = flags.resume ? readCheckpoint(resolve(host.folder, flags.resume), settings.url) : undefined;
  await checkWorkspace(settings, fetch);
  context.onInterrupt = (written) => {
    const again = written ? `go on with twenty-rollups rebuild --resume ${shown}` : 'run the same command again: what is right by then costs no write';
    return `Stopped. What was written is right, the rest is as it was; ${again}.`;
  };

  const reports: Report[] = [];
  let kept = false;
  let idle = 0;
  for (let checkpoint = from; ; ) {
    const timeLimitSeconds = flags.timeLimit ?? DEFAULT_TIME_LIMIT_SECONDS;
    const report = await callEngine(context, checkpoint ? { checkpoint } : (records ?? {}), { timeLimitSeconds, only });
    reports.push(report);
    const outOfTime = report.status === 'partial' && report.code === 'out_of_time';
    // A run that could not even begin leaves what it was to go on from.
    const next = report.checkpoint ?? (outOfTime || report.status === 'error' ? checkpoint : undefined);
    if (next) writeCheckpoint(path, settings.url, next);
    kept = context.checkpointWritten = Boolean(next);
    if (flags.once || report.status !== 'partial' || !(next || outOfTime)) break;
    idle = isDeepStrictEqual(next, checkpoint) && report.totals?.updated === 0 ? idle + 1 : 0;
    // Others may have used up the budget just now; if something else is in the way, it still will be.
    if (idle > (report.requests!.throttled > 0 ? MAX_IDLE_RUNS : 0)) break;
    screen.log(`${formatCount(report.totals!.updated, 'parent')} written in this run, going on`);
    if (idle > 0) await host.sleep(IDLE_INTERVAL_MS);
    checkpoint = next;
  }
  if (!kept && (from || reports.length > 1)) removeCheckpoint(path);

  const merged: Report = merge(reports);
  if (!kept) throwIfError(merged);
  // With a checkpoint there was a run.
  const report = merged as RunReport;
  if (report.status === 'noop') return nothingToDo(screen, report);
  show(context, report, reports.length);
  const notThere = records !== undefined && report.totals.processed === 0;
  if (notThere) screen.print(`None of these is a live ${records.parentObject} of ${settings.url}; --object says what they are.`);
  if (kept) {
    screen.print(`Not all parents are done: ${report.message ?? 'the run ended early'}`);
    screen.print(`What was written is right. Go on with: twenty-rollups rebuild --resume ${shown}`);
  } else if (report.status === 'partial') {
    screen.print(`Not all parents are right${report.message ? `: ${report.message}` : ', see above'}`);
  }
  return { exit: notThere ? EXIT.wrong : exitOf(report), document: { runs: reports.length, checkpointFile: kept ? shown : null, report } };
};

/** The user has not chosen the built-in definitions: names what they write to, and asks where there is a terminal. */
async function confirmBuiltIn({ host, screen, settings, flags }: Context, only: number[] | undefined): Promise<void> {
  if (settings.config !== undefined || flags.yes) return;
  const { definitions } = configurationOf(settings, await loadEngine(host));
  const chosen = definitions.filter((_, number) => only?.includes(number) ?? true);
  const objects = [...new Set(chosen.map(({ parentObject }) => parentObject))].join(', ');
  const hint = 'Give --yes to use them, or definitions of your own by --config or rollups.json; twenty-rollups init writes one.';
  for (const line of wrap('There is no rollups.json here, and no --config: the built-in definitions count (twenty-rollups definitions prints them).')) screen.log(line);
  for (const line of wrap(`They write totals of ${objects}, as far as ${settings.url} has these and the fields for them.`)) screen.log(line);
  if (host.ask && !(await confirm(host.ask, 'Write them?', false))) throw usage('not_confirmed', 'nothing was written', hint);
}

function show({ screen, settings }: Context, report: RunReport, runs: number): void {
  const { processed, updated, unchanged, reset, failed } = report.totals;
  const written = `${formatNumber(updated)} written${reset > 0 ? ` (${formatNumber(reset)} of them without a child left)` : ''}`;
  const not = failed > 0 ? `, ${formatNumber(failed)} not right` : '';
  screen.print(`${formatCount(processed, 'parent')} compared at ${settings.url} by ${settings.source}: ${written}, ${formatNumber(unchanged)} right already${not}`);
  showRequests(screen, report.requests, report.tookMs, runs);
  if (report.drift) showDrift(screen, report.drift, 0, 'wrong before');
  showProblems(screen, report);
  showSkipped(screen, report.skipped, settings.config);
}
