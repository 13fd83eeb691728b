// A whole comparison without a write: what `drift` and `rebuild --dry-run` have in common.

import { resolve } from 'node:path';

import { ChangesFile } from '../csv.mjs';
import { callEngine, refuseError } from '../engine.mjs';
import { EXIT, exitOf } from '../outcome.mjs';
import { count, group } from '../text.mjs';
import { nothingToDo, showDrift, showRequests, showSkipped, showTrouble } from '../show.mjs';
import { seeWorkspace } from '../workspace.mjs';

/**
 * @param {object} context of the command
 * @param {{ would: string, next: string, failsOnDrift: boolean }} words of the command
 */
export async function compare(context, { would, next, failsOnDrift }) {
  const { world, screen, settings, flags, fetch } = context;
  await seeWorkspace(settings, fetch);
  const csv = flags.csv && new ChangesFile(resolve(world.folder, flags.csv));
  let report;
  try {
    // One run to its end: a dry run cannot be taken up again, as it has written nothing to go on from.
    report = await callEngine(context, { dryRun: true }, {
      timeLimitSeconds: flags.timeLimit,
      onEvent: (event) => event.event === 'would_change' && csv && csv.add(event),
    });
  } finally {
    csv?.close();
  }
  refuseError(report);

  if (report.status === 'noop') return nothingToDo(screen, report);
  const { drift, totals } = report;
  const found = drift.values > 0;
  const compared = count(totals.processed, 'parent');
  const since = drift.since ? `, since ${drift.since} at the earliest` : '';
  screen.say(
    found
      ? `${count(drift.values, 'value')} of ${count(drift.parents, 'parent')} ${would}, of ${compared} compared${since}`
      : `${compared} compared at ${settings.url}: every total is right`,
  );
  showRequests(screen, report.requests, report.tookMs);
  showDrift(screen, drift, flags.sample);
  showTrouble(screen, report);
  showSkipped(screen, report.skipped, settings.config);
  if (csv) screen.say(`${group(drift.values)} lines in ${flags.csv}`);
  if (report.status === 'partial') screen.say(`Not all parents could be compared: ${report.message ?? 'see above'}`);
  if (found) screen.say(next);

  const exit = exitOf(report) || (found && failsOnDrift ? EXIT.wrong : EXIT.right);
  return { exit, document: { csv: flags.csv ?? null, report } };
}
