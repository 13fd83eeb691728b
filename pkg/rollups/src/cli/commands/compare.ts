// A whole comparison without a write: what `drift` and `rebuild --dry-run` have in common.

import { resolve } from 'node:path';

import { ChangesFile } from '../csv.mjs';
import { callEngine, refuseError } from '../engine.mjs';
import { EXIT, exitOf, unseen } from '../outcome.mjs';
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
      onEvent: (event) => event.event === 'difference_found' && csv && csv.add(event),
    });
  } finally {
    csv?.close();
  }
  refuseError(report);

  if (report.status === 'noop') return nothingToDo(screen, report);
  const { drift, totals } = report;
  const found = drift.values > 0;
  const reasons = unseen(report, settings.config);
  const compared = count(totals.processed, 'parent');
  const since = drift.since ? `, since ${drift.since} at the earliest` : '';
  screen.say(
    found
      ? `${count(drift.values, 'value')} of ${count(drift.parents, 'parent')} ${would}, of ${compared} compared${since}`
      : `${compared} compared at ${settings.url}: ${reasons.length > 0 ? 'nothing wrong was found, but not everything was compared' : rightOf(totals)}`,
  );
  showRequests(screen, report.requests, report.tookMs);
  showDrift(screen, drift, flags.sample);
  showTrouble(screen, report);
  showSkipped(screen, report.skipped, settings.config);
  if (csv) screen.say(`${group(drift.values)} lines in ${flags.csv}`);
  if (report.status === 'partial') screen.say(`Not all parents could be compared: ${report.message ?? 'see above'}`);
  else if (reasons.length > 0) screen.say(`Whether the other totals are right is not known: ${reasons.join('; ')}`);
  if (found) screen.say(next);

  const complete = reasons.length === 0;
  return { exit: exitOfComparison(report, { found, complete, failsOnDrift }), document: { csv: flags.csv ?? null, complete, report } };
}

/** Wrong values that were found decide the exit code; where none were, an incomplete comparison does. */
function exitOfComparison(report, { found, complete, failsOnDrift }) {
  if (found) return exitOf(report) || (failsOnDrift ? EXIT.wrong : complete ? EXIT.right : EXIT.unknown);
  return complete ? EXIT.right : EXIT.unknown;
}

const rightOf = ({ processed, mixedCurrency }) => {
  if (processed === 0) return 'there is no total to compare';
  if (mixedCurrency > 0) return `every total is right, apart from ${count(mixedCurrency, 'parent')} with gifts in several currencies`;
  return 'every total is right';
};
