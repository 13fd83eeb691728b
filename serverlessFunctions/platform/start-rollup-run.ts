/**
 * Starts a run of the rollup function with a payload, for the small functions, which carry no engine.
 *
 * A run that could not be queued is made up for by the next sweep alone. So after any error the platform is asked to try
 * again, which it does for errors of this name and no others.
 */
import { enqueue } from './enqueue';

const RETRYABLE = 'RetryableLogicFunctionError';

export const enqueueRollupRun = async (payload: object, delayMs = 0): Promise<object> => {
  try {
    if (await enqueue(payload, delayMs)) return { handedOver: true, delayMs };
    throw new Error('the queue takes no more jobs of this app just now');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw Object.assign(new Error(`the run was not queued: ${why}`), { name: RETRYABLE });
  }
};
