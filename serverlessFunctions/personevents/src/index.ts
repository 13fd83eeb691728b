import { defineLogicFunction } from 'twenty-sdk/define';

import { PERSON_FIELDS } from '../../objects';
import { handOver } from '../../platform/hand-over';
import { eventDelivery } from '../../sdk-features';
import { whatMatters } from './what-matters';

/** Hands on what of these events concerns totals. */
export const main = async (payload: Parameters<typeof whatMatters>[0], _context?: unknown): Promise<object> => {
  const rest = whatMatters(payload);
  return rest ? handOver(rest) : { handedOver: false };
};

export default defineLogicFunction({
  universalIdentifier: '5bd9fd96-b510-441e-85ec-2bf4ec6f8abe',
  name: 'person-events',
  description: 'Tells the rollup function of people who move between households, are deleted, restored or merged.',
  timeoutSeconds: 60,
  handler: main,
  // Updates of other fields start no run, the engine's own writes of totals among them.
  databaseEventTriggerSettings: { eventName: 'person.*', updatedFields: PERSON_FIELDS, ...eventDelivery },
});
