import { defineLogicFunction } from 'twenty-sdk/define';

import { appServices } from '../../platform/app-services';
import { asksForHealth, isPaused, PAUSED } from '../../platform/pause';
import { routeAnswer } from '../../platform/route-answer';
import { NIGHTLY } from '../../schedules.generated';
import { eventDelivery } from '../../sdk-features';
import { calculateRollups } from './engine';
import { CALCULATE_ROLLUPS, RECALCULATE_ROUTE } from './identifier';

/** The longest that Twenty allows; the engine ends by itself before it. */
const TIMEOUT_SECONDS = 900;

/**
 * Hands the payload, this run's environment and what outlives the run to the engine, and returns its report. The
 * environment is read here and not at load, because the executor may keep the module and change it between runs. While
 * the app is paused there may be storms of events: the engine is not even made then.
 */
export const main = async (payload: unknown, _context?: unknown): Promise<object> => {
  if (isPaused() && !asksForHealth(payload)) return PAUSED;
  return calculateRollups(payload, { env: process.env, timeLimitSeconds: TIMEOUT_SECONDS, ...appServices() });
};

export default defineLogicFunction({
  universalIdentifier: CALCULATE_ROLLUPS,
  name: 'calculate-rollups',
  description: 'Recomputes totals: of the parents that record events name, of what a request names, or of everybody.',
  timeoutSeconds: TIMEOUT_SECONDS,
  handler: async (payload: unknown, context?: unknown) => routeAnswer(payload, await main(payload, context)),
  // Every change of a gift, without a list of fields: an upsert that changes only an amount does not name the amount.
  databaseEventTriggerSettings: { eventName: 'gift.*', ...eventDelivery },
  // Events can be lost, and totals of this year change with the calendar: the nightly rebuild puts both right.
  ...NIGHTLY,
  httpRouteTriggerSettings: {
    path: RECALCULATE_ROUTE,
    httpMethod: 'POST',
    isAuthRequired: true,
    forwardedRequestHeaders: ['x-request-id'],
  },
});
