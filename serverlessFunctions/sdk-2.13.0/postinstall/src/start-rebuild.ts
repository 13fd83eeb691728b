/**
 * Starts a rebuild through the rollup function's own route, because servers before 2.35 have no queue for apps.
 *
 * The route answers when the rebuild has ended, which can take minutes. The function runs on when nobody waits for
 * its answer, so a few seconds without a refusal are taken for a start.
 */
import { RECALCULATE_ROUTE } from '../../calculaterollups/src/identifier';
import { environment } from './environment';

const PATIENCE_MS = 10_000;

export const startRebuild = async (): Promise<object> => {
  const { url, headers } = environment();
  try {
    const response = await fetch(`${url}/s${RECALCULATE_ROUTE}`, {
      method: 'POST',
      headers,
      body: '{}',
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (!response.ok) {
      throw new Error(`the first rebuild did not start: HTTP ${response.status}: ${await response.text()}`);
    }
    return { started: true, finished: true };
  } catch (error) {
    if (error instanceof DOMException && error.name === 'TimeoutError') return { started: true, finished: false };
    throw error;
  }
};
