import { definePostInstallLogicFunction } from 'twenty-sdk/define';

import { enqueueRollupRun } from '../../platform/enqueue-rollup-run';

/** Starts the first rebuild; the events and the schedules keep the totals from then on. */
export const main = async (): Promise<object> => enqueueRollupRun({});

export default definePostInstallLogicFunction({
  universalIdentifier: '4e5128ee-9545-4f57-a600-fac1a5fc197f',
  name: 'start-first-rebuild',
  description: 'Starts a rebuild of all totals once the app is installed or upgraded.',
  timeoutSeconds: 60,
  shouldRunOnVersionUpgrade: true,
  handler: main,
});
