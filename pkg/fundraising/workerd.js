// workerd: the module is imported compiled, and the settings are the worker's bindings.
//
// Requests wait for one another at the gate in front of Twenty. workerd gives up a request that has nothing of its own
// to wait for, hence the timer; and it drops the work of one whose caller has gone, hence `waitUntil`: a gift that is
// half made is finished, and leaves the gate.

import { connect } from './api.js';
import * as glue from './generated/fundraising.js';
import module from './generated/fundraising.wasm';

const proxy = connect(glue, () => module);

export const { settingNames, settingErrors } = proxy;

export function fetch(request, env, context) {
  const alive = setInterval(() => {}, 1_000);
  const answered = proxy.fetch(request, env).finally(() => clearInterval(alive));
  context?.waitUntil(answered);
  return answered;
}

export default { fetch };
