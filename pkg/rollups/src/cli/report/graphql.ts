// The few questions that the page asks besides the engine's: each one group-by.

import { readBounded } from '../../read-bounded.js';
import type { Context } from '../context.js';
import { messageOf } from '../outcome.js';
import { maxBytesOf } from '../settings.js';

const TIMEOUT_MS = 60_000;
const ATTEMPTS = 5;
/** What the bucket of the server needs to give something back, where it does not say how long. */
const REFILL_MS = 6_000;
const RETRY_MS = 1_000;

interface Answer {
  data?: Record<string, unknown> | null;
  errors?: { message?: string; extensions?: { code?: string; subCode?: string } }[];
}

export class GraphqlClient {
  readonly #context: Context;
  requests = 0;
  throttled = 0;

  constructor(context: Context) {
    this.#context = context;
  }

  /** @throws {Error} with the server's reason, in words */
  async ask(query: string, variables: object = {}): Promise<Record<string, unknown>> {
    const { host } = this.#context;
    for (let attempt = 1; ; attempt += 1) {
      const last = attempt === ATTEMPTS;
      try {
        const { response, answer } = await this.#send({ query, variables });
        const [error] = answer?.errors ?? [];
        const refused = response.status === 429 || isThrottled(error);
        if (refused) this.throttled += 1;
        if (!refused && response.ok && answer?.data && !error) return answer.data;
        if (last || (!refused && response.status < 500)) throw new Final(error?.message ?? (response.ok ? 'the answer is not as Twenty gives it' : `the server answered ${response.status}`));
        await host.sleep(refused ? Number(response.headers.get('retry-after')) * 1000 || REFILL_MS : RETRY_MS);
      } catch (error) {
        if (error instanceof Final || last) throw error;
        await host.sleep(RETRY_MS);
      }
    }
  }

  async #send(body: object): Promise<{ response: Response; answer: Answer | undefined }> {
    const { settings, fetch } = this.#context;
    this.requests += 1;
    const response = await fetch(`${settings.url}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${settings.token}`, 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(body),
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await readBounded(response, maxBytesOf(settings));
    try {
      return { response, answer: JSON.parse(text) };
    } catch {
      return { response, answer: undefined };
    }
  }
}

/** An answer that another attempt would not change. */
class Final extends Error {}

type GraphqlError = NonNullable<Answer['errors']>[number];

const isThrottled = (error: GraphqlError | undefined) =>
  ['RATE_LIMITED', 'QUOTA_EXHAUSTED'].includes(error?.extensions?.code ?? '') ||
  error?.extensions?.subCode === 'LIMIT_REACHED' ||
  /^Limit reached/.test(error?.message ?? '');

/** A figure, or why there is none. */
export type Measured<T> = { at: string; value: T } | { at: string; missing: string };

export async function measured<T>(work: () => Promise<T>): Promise<Measured<T>> {
  try {
    const value = await work();
    return { at: new Date().toISOString(), value };
  } catch (error) {
    return { at: new Date().toISOString(), missing: messageOf(error) };
  }
}
