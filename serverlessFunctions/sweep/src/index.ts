import { defineLogicFunction } from 'twenty-sdk/define';

import { slotOf } from '../../platform/slot';
import { startRollupRun } from '../../platform/start-rollup-run';
import { SWEEP, SWEEP_SPREAD_SECONDS } from '../../schedules.generated';
import { startTimeoutSeconds } from '../../sdk-features';

const NAME = 'sweep';

/** Has the rollup function look for what events did not tell: they can be lost. */
export const main = async (_payload: unknown, context?: unknown): Promise<object> =>
  startRollupRun(NAME, { sweep: true }, slotOf(context, SWEEP_SPREAD_SECONDS));

export default defineLogicFunction({
  universalIdentifier: '8b719392-6e91-42c5-acc0-309c51c717de',
  name: NAME,
  description: 'Starts a sweep: a search for totals that lost events left wrong.',
  timeoutSeconds: startTimeoutSeconds,
  handler: main,
  ...SWEEP,
});
