/**
 * Starts a run of the rollup function with a payload, for the small functions, which carry no engine.
 *
 * A run that could not be queued is made up for by the next sweep alone. So after any error the platform is asked to try
 * again, which it does for errors of this name and no others; and the store keeps what went wrong, for `{"health":true}`.
 */
import { enqueue } from './enqueue';
import { isPaused, PAUSED } from './pause';
import { store } from './store';

const RETRYABLE = 'RetryableLogicFunctionError';

/** The engine reads it. */
const FAILED_HAND_OVER = 'rollups.hand-over';

const keepFailure = async (from: string, why: string): Promise<void> => {
  try {
    const earlier = JSON.parse((await store.get(FAILED_HAND_OVER)) ?? '{}') as { count?: number };
    const failure = { at: new Date().toISOString(), function: from, why, count: (earlier.count ?? 0) + 1 };
    await store.set(FAILED_HAND_OVER, JSON.stringify(failure));
  } catch {
    // A server that takes no job may keep nothing either; the error that is thrown stands in its log.
  }
};

export const startRollupRun = async (from: string, payload: object, delayMs = 0): Promise<object> => {
  if (isPaused()) return PAUSED;
  try {
    if (await enqueue(payload, delayMs)) return { handedOver: true, delayMs };
    throw new Error('the queue takes no more jobs of this app just now');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    await keepFailure(from, why);
    throw Object.assign(new Error(`the run was not queued: ${why}`), { name: RETRYABLE });
  }
};
