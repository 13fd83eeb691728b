import { defineLogicFunction } from 'twenty-sdk/define';

import { slotOf } from '../../platform/slot';
import { startRollupRun } from '../../platform/start-rollup-run';
import { REBUILD, REBUILD_SPREAD_SECONDS } from '../../schedules.generated';
import { startTimeoutSeconds } from '../../sdk-features';

const NAME = 'rebuild-later';

/**
 * Has the rollup function rebuild in the slot of this workspace. Every minute, with `parentsPerRun` in the configuration,
 * that is the plainest schedule: one batch of parents a tick.
 */
export const main = async (_payload: unknown, context?: unknown): Promise<object> =>
  startRollupRun(NAME, {}, slotOf(context, REBUILD_SPREAD_SECONDS));

export default defineLogicFunction({
  universalIdentifier: 'bdb098d5-15c3-4c04-945e-791640131a57',
  name: NAME,
  description: 'Starts a rebuild, or the next batch of one, in the slot of this workspace. Off unless the build names a schedule.',
  timeoutSeconds: startTimeoutSeconds,
  handler: main,
  ...REBUILD,
});
