import { defineLogicFunction } from 'twenty-sdk/define';

import { PERSON_FIELDS } from '../../objects';
import { startRollupRun } from '../../platform/start-rollup-run';
import { eventDelivery, startTimeoutSeconds } from '../../sdk-features';
import { relevantPersonEvents } from './relevant-person-events';

const NAME = 'person-events';

/** Starts a run of the rollup function for the events that change totals. */
export const main = async (payload: Parameters<typeof relevantPersonEvents>[0], _context?: unknown): Promise<object> => {
  const rest = relevantPersonEvents(payload);
  return rest ? startRollupRun(NAME, rest) : { handedOver: false };
};

export default defineLogicFunction({
  universalIdentifier: '5bd9fd96-b510-441e-85ec-2bf4ec6f8abe',
  name: NAME,
  description: 'Tells the rollup function of people who move between households, are deleted, restored or merged.',
  timeoutSeconds: startTimeoutSeconds,
  handler: main,
  // Updates of other fields start no run, the engine's own writes of totals among them.
  databaseEventTriggerSettings: { eventName: 'person.*', updatedFields: PERSON_FIELDS, ...eventDelivery },
});
