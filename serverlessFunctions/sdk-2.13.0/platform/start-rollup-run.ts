/**
 * Starts a run of the rollup function with a payload, through the function's own route, because servers before 2.35 have
 * no queue for apps. So there is no waiting for a slot either.
 *
 * The route answers when the run has ended, which can take minutes. The function runs on after its caller has hung up, so
 * some seconds without a refusal count as a start.
 */
import { RECALCULATE_ROUTE } from '../calculaterollups/src/identifier';
import { environment } from './environment';

const REQUEST_TIMEOUT_MS = 10_000;

export const enqueueRollupRun = async (payload: object, _delayMs = 0): Promise<object> => {
  const { url, headers } = environment();
  try {
    const response = await fetch(`${url}/s${RECALCULATE_ROUTE}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(payload),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    if (!response.ok) throw new Error(`the run did not start: HTTP ${response.status}: ${await response.text()}`);
    return { started: true, finished: true };
  } catch (error) {
    if (error instanceof DOMException && error.name === 'TimeoutError') return { started: true, finished: false };
    throw error;
  }
};
