import { definePostInstallLogicFunction } from 'twenty-sdk/define';

import { startRollupRun } from '../../platform/start-rollup-run';
import { startTimeoutSeconds } from '../../sdk-features';

const NAME = 'start-first-rebuild';

/** Starts the first rebuild; the events and the schedules keep the totals from then on. */
export const main = async (): Promise<object> => startRollupRun(NAME, {});

export default definePostInstallLogicFunction({
  universalIdentifier: '4e5128ee-9545-4f57-a600-fac1a5fc197f',
  name: NAME,
  description: 'Starts a rebuild of all totals once the app is installed or upgraded.',
  timeoutSeconds: startTimeoutSeconds,
  shouldRunOnVersionUpgrade: true,
  handler: main,
});
