/** A further run of the rollup function, through the app's queue. */
import { CALCULATE_ROLLUPS } from '../calculaterollups/src/identifier';
import { callMetadata } from './metadata-api';

const ENQUEUE = `mutation ($input: EnqueueJobsInput!) {
  enqueueJobs(input: $input) { enqueued logicFunctionUniversalIdentifier enqueuedJobsCount jobIds }
}`;

type Enqueued = { enqueued: boolean; jobIds: string[] };

/** Answers whether the queue took it on: it does not once the app's budget of the minute is used up. */
export const enqueue = async (payload: object, delayMs: number): Promise<boolean> => {
  const input = { logicFunctionUniversalIdentifier: CALCULATE_ROLLUPS, payloads: [payload], ...(delayMs > 0 && { delayMs }) };
  const { enqueueJobs } = await callMetadata<{ enqueueJobs: Enqueued }>(ENQUEUE, { input });
  return enqueueJobs.enqueued;
};
