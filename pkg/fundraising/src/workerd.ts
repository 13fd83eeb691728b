// workerd: the module is imported compiled, and the settings are the worker's bindings.
//
// workerd drops the work of a request whose caller has gone, hence `waitUntil`: a gift that is half made is finished, and leaves
// the queue of the rate limiter. It also gives up a request that has nothing of its own to wait for; there is none, as those
// who wait at the rate limiter look again by timers of their own.

import { connect } from './api.js';
import * as glue from './generated/fundraising.js';
import module from './generated/fundraising.wasm';
import type { Environment, ExecutionContext } from './index.js';
import { processStaged } from './process-staged.js';

const proxy = connect(glue, () => module);

export const { settingNames, settingErrors } = proxy;

export function fetch(request: Request, env: Environment, context?: ExecutionContext): Promise<Response> {
  const answered = proxy.fetch(request, env);
  context?.waitUntil(answered);
  return answered;
}

/** A cron trigger: the staged gifts that are due become gifts. A run that was refused is shown as failed, with the reason. */
export async function scheduled(_: unknown, env: Environment): Promise<void> {
  await processStaged(proxy.fetch, env);
}

export default { fetch, scheduled };
