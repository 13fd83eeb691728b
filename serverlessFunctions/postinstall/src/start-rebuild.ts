/**
 * Queues one run of the rollup function with an empty payload, which means everything.
 *
 * The SDK's `enqueueJobs` sends this same mutation, through a client package that the build leaves out of the bundle
 * and the server lays beside it. Sent directly, the hook needs nothing but its own file.
 */
import { CALCULATE_ROLLUPS } from '../../calculaterollups/src/identifier';
import { environment } from './environment';

const ENQUEUE = `mutation ($input: EnqueueJobsInput!) {
  enqueueJobs(input: $input) { enqueued enqueuedJobsCount jobIds }
}`;

type Reply = { data?: { enqueueJobs?: object } | null; errors?: { message: string }[] };

export const startRebuild = async (): Promise<object> => {
  const { url, headers } = environment();
  const input = { logicFunctionUniversalIdentifier: CALCULATE_ROLLUPS, payloads: [{}] };
  const response = await fetch(`${url}/metadata`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ query: ENQUEUE, variables: { input } }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`the first rebuild was not queued: HTTP ${response.status}: ${text}`);
  const { data, errors } = JSON.parse(text) as Reply;
  if (!data?.enqueueJobs) {
    throw new Error(`the first rebuild was not queued: ${errors?.map(({ message }) => message).join('; ') ?? text}`);
  }
  return data.enqueueJobs;
};
