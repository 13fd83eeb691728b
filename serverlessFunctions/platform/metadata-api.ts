/**
 * Documents for the part of Twenty's `/metadata` that is there for apps: the key-value store and the queue.
 *
 * `kv` and `enqueueJobs` of `twenty-sdk/logic-function` send these same documents, through a client package that the
 * build leaves out of the bundle and the server lays beside it. Sent directly, a function needs nothing but its own
 * file. A test compares what is sent with what the SDK sends.
 */
import { environment } from './environment';

/** A store that hangs must not use up the time of a run. */
const REQUEST_TIMEOUT_MS = 10_000;

type Reply<T> = { data?: T | null; errors?: { message: string }[] };

/** Sends a document and returns its data; throws with the server's message. */
export const callMetadata = async <T>(query: string, variables: object): Promise<T> => {
  const { url, headers } = environment();
  const response = await fetch(`${url}/metadata`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`HTTP ${response.status}: ${text}`);
  const { data, errors } = JSON.parse(text) as Reply<T>;
  if (errors?.length || !data) throw new Error(errors?.map(({ message }) => message).join('; ') || text);
  return data;
};
