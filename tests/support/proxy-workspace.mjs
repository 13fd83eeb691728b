// A sandbox whose workspace has the proxy's data model, made by the proxy's own provisioning.

import { provision } from '../../pkg/fundraising/provision.js';
import { startSandbox } from './sandbox.mjs';

/** Serves until the test is over. `ask` reads and writes its records past the proxy. */
export async function startWorkspace(t, { model = true, limits = 'off' } = {}) {
  const { ready, stop } = await startSandbox(['--port', '0', '--limits', limits]);
  t.after(stop);
  const env = { TWENTY_API_BASE_URL: `${ready.url}/rest`, TWENTY_API_KEY: ready.token };
  if (model) await provision(env);

  const ask = async (method, path, body) => {
    const response = await fetch(`${ready.url}/rest/${path}`, {
      method,
      headers: { authorization: `Bearer ${ready.token}`, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    const reply = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(reply)}`);
    return reply;
  };
  const all = async (plural) => (await ask('GET', `${plural}?limit=200`)).data[plural];
  return { ...ready, env, ask, all };
}
