import { defineLogicFunction } from 'twenty-sdk/define';

import { enqueueRollupRun } from '../../platform/enqueue-rollup-run';
import { slotOf } from '../../platform/slot';
import { REBUILD, REBUILD_SPREAD_SECONDS } from '../../schedules.generated';

/**
 * Has the rollup function rebuild in the slot of this workspace. Every minute, with `parentsPerRun` in the configuration,
 * that is the plainest schedule: one batch of parents a tick.
 */
export const main = async (_payload: unknown, context?: unknown): Promise<object> =>
  enqueueRollupRun({}, slotOf(context, REBUILD_SPREAD_SECONDS));

export default defineLogicFunction({
  universalIdentifier: 'bdb098d5-15c3-4c04-945e-791640131a57',
  name: 'rebuild-later',
  description: 'Starts a rebuild, or the next batch of one, in the slot of this workspace. Off unless the build names a schedule.',
  timeoutSeconds: 60,
  handler: main,
  ...REBUILD,
});
