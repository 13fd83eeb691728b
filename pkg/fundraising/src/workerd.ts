// workerd: the module is imported compiled, and the settings are the worker's bindings.
//
// Requests wait for one another at the rate limiter in front of Twenty. workerd gives up a request that has nothing of its
// own to wait for, hence the timer; and it drops the work of one whose caller has gone, hence `waitUntil`: a gift that is
// half made is finished, and leaves the queue of the rate limiter.

import { connect } from './api.js';
import * as glue from './generated/fundraising.js';
import module from './generated/fundraising.wasm';
import type { Environment, ExecutionContext } from './index.js';

const KEEP_ALIVE_INTERVAL_MS = 1_000;

const proxy = connect(glue, () => module);

export const { settingNames, settingErrors } = proxy;

export function fetch(request: Request, env: Environment, context?: ExecutionContext): Promise<Response> {
  const alive = setInterval(() => {}, KEEP_ALIVE_INTERVAL_MS);
  const answered = proxy.fetch(request, env).finally(() => clearInterval(alive));
  context?.waitUntil(answered);
  return answered;
}

export default { fetch };
