/**
 * Has the rollup function run with a payload: how the small functions, which carry no engine, get work done.
 *
 * What is not handed over is lost until the next sweep. So whatever went wrong, the platform is asked to try again:
 * it does for errors of this name, and for no others.
 */
import { enqueue } from './enqueue';

const RETRYABLE = 'RetryableLogicFunctionError';

export const handOver = async (payload: object, delayMs = 0): Promise<object> => {
  try {
    if (await enqueue(payload, delayMs)) return { handedOver: true, delayMs };
    throw new Error('the queue takes no more jobs of this app just now');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw Object.assign(new Error(`the run was not queued: ${why}`), { name: RETRYABLE });
  }
};
