// What a timer does: the staged gifts that are due become gifts.

import type { Environment } from './index.js';
import { tokenOf } from './twenty.js';

const ROUTE = 'http://localhost/api/fundraising/gift-staging/process';

/** What became of the staged gifts. */
export interface ProcessedGifts {
  processed: number;
  deferred: number;
  failed: number;
}

type Fetch = (request: Request, env: Environment) => Promise<Response>;

/**
 * Promotes the staged gifts that are due, as `POST /gift-staging/process` without `ids` does, with the service's own token.
 *
 * @param fetch the proxy's own
 * @throws what the log has as well, if the proxy refuses: no staging, no token, no Twenty
 */
export async function processStaged(fetch: Fetch, env: Environment): Promise<ProcessedGifts> {
  try {
    return await ask(fetch, env);
  } catch (error) {
    const timestamp = new Date().toISOString();
    console.error(JSON.stringify({ timestamp, level: 'error', event: 'timed_processing_failed', message: (error as Error).message }));
    throw error;
  }
}

async function ask(fetch: Fetch, env: Environment): Promise<ProcessedGifts> {
  const token = tokenOf(env);
  if (!token) throw new Error('staged gifts are processed with TWENTY_API_KEY, which is not set');
  const request = new Request(ROUTE, { method: 'POST', headers: { authorization: `Bearer ${token.text}` } });
  const response = await fetch(request, env);
  const answer = (await response.json()) as { message?: string; meta?: ProcessedGifts };
  if (!answer.meta) throw new Error(`staged gifts were not processed: ${response.status} ${answer.message ?? ''}`);
  return answer.meta;
}
