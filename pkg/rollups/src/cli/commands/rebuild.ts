// Puts every total right. A run that ends before its end is gone on with, here or by a later command.

import { isDeepStrictEqual } from 'node:util';
import { resolve } from 'node:path';

import { readCheckpoint, removeCheckpoint, writeCheckpoint } from '../checkpoint-file.mjs';
import { callEngine, refuseError } from '../engine.mjs';
import { exitOf, usage } from '../outcome.mjs';
import { nothingToDo, showDrift, showRequests, showSkipped, showTrouble } from '../show.mjs';
import { count, group } from '../text.mjs';
import { merge } from '../reports.mjs';
import { seeWorkspace } from '../workspace.mjs';
import { compare } from './compare.mjs';

const USUAL_CHECKPOINT = 'rollups-checkpoint.json';
/** As long as a function may run in Twenty: the plan is then the same. */
export const USUAL_SECONDS = 900;

/** Runs in a row that the rate limit may keep from doing anything, and the time in between. */
const MOST_IDLE = 3;
const IDLE_MS = 20_000;

export async function rebuild(context) {
  const { world, screen, settings, flags, fetch } = context;
  if (flags.dryRun && flags.resume) throw usage('contradiction', '--dry-run begins at the beginning, and cannot go with --resume');
  if (flags.csv && !flags.dryRun) throw usage('contradiction', '--csv lists what would change: it goes with --dry-run');
  if (flags.dryRun) {
    return compare(context, { would: 'would change', next: 'To change them: twenty-rollups rebuild', failsOnDrift: false });
  }

  const shown = flags.checkpoint ?? flags.resume ?? USUAL_CHECKPOINT;
  const path = resolve(world.folder, shown);
  const from = flags.resume && readCheckpoint(resolve(world.folder, flags.resume), settings.url);
  await seeWorkspace(settings, fetch);
  context.onInterrupt = (written) => {
    const again = written ? `go on with twenty-rollups rebuild --resume ${shown}` : 'run the same command again: what is right by then costs no write';
    return `Stopped. What was written is right, the rest is as it was; ${again}.`;
  };

  const reports = [];
  let kept = false;
  let idle = 0;
  for (let checkpoint = from; ; ) {
    const report = await callEngine(context, checkpoint ? { checkpoint } : {}, { timeLimitSeconds: flags.timeLimit ?? USUAL_SECONDS });
    reports.push(report);
    const outOfTime = report.status === 'partial' && report.code === 'out_of_time';
    // A run that could not even begin leaves what it was to go on from.
    const next = report.checkpoint ?? (outOfTime || report.status === 'error' ? checkpoint : undefined);
    if (next) writeCheckpoint(path, settings.url, next);
    kept = context.kept = Boolean(next);
    if (flags.once || report.status !== 'partial' || !(next || outOfTime)) break;
    idle = isDeepStrictEqual(next, checkpoint) && report.totals.updated === 0 ? idle + 1 : 0;
    // Others may have used up the budget just now; if something else is in the way, it still will be.
    if (idle > (report.requests.throttled > 0 ? MOST_IDLE : 0)) break;
    screen.tell(`${count(report.totals.updated, 'parent')} written in this run, going on`);
    if (idle > 0) await world.sleep(IDLE_MS);
    checkpoint = next;
  }
  if (!kept && (from || reports.length > 1)) removeCheckpoint(path);

  const report = merge(reports);
  if (!kept) refuseError(report);
  if (report.status === 'noop') return nothingToDo(screen, report);
  show(context, report, reports.length);
  if (kept) {
    screen.say(`Not all parents are done: ${report.message ?? 'the run ended early'}`);
    screen.say(`What was written is right. Go on with: twenty-rollups rebuild --resume ${shown}`);
  } else if (report.status === 'partial') {
    screen.say(`Not all parents are right${report.message ? `: ${report.message}` : ', see above'}`);
  }
  return { exit: exitOf(report), document: { runs: reports.length, checkpointFile: kept ? shown : null, report } };
}

function show({ screen, settings }, report, runs) {
  const { processed, updated, unchanged, reset, failed } = report.totals;
  const written = `${group(updated)} written${reset > 0 ? ` (${group(reset)} of them without a child left)` : ''}`;
  const not = failed > 0 ? `, ${group(failed)} not right` : '';
  screen.say(`${count(processed, 'parent')} compared at ${settings.url}: ${written}, ${group(unchanged)} right already${not}`);
  showRequests(screen, report.requests, report.tookMs, runs);
  if (report.drift) showDrift(screen, report.drift, 0, 'wrong before');
  showTrouble(screen, report);
  showSkipped(screen, report.skipped, settings.config);
}
