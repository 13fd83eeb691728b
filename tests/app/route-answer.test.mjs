/** The HTTP status of an answer of the route, by what became of the run. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';

import { runFunction } from '../runtime/driver.mjs';
import { httpAnswer } from '../runtime/routes.mjs';
import { APP, build, ROLLUPS } from '../support/app.mjs';
import { listen } from '../support/http-server.mjs';
import { node24 } from '../support/nodes.mjs';

before(async () => {
  await build();
  await build(APP, '--sdk', '2.13.0', '--tarball');
});

const OUTPUTS = ['output', 'output-2.13.0'];
const request = (body) => ({ requestContext: { http: { method: 'POST', path: '/s/recalculate-all' } }, body });

const call = async (output, url, payload, env = {}) => {
  const bundle = join(APP, '.twenty', output, ROLLUPS);
  const run = await runFunction({
    node: node24(),
    bundle,
    payload,
    env: { TWENTY_API_URL: url, TWENTY_API_KEY: 'app', TWENTY_APP_APPLICATION_ACCESS_TOKEN: 'app', ...env },
    timeoutMs: 60_000,
  });
  assert.equal(run.error, undefined);
  return run;
};

/** A workspace without records, that answers about them with this status. */
const workspace = (t, status, body) =>
  listen(t, ({ url }) => (url === '/metadata' ? { body: { data: { appKeyValue: null } } } : { status, body }));

for (const output of OUTPUTS) {
  test(`${output}: a script can tell by the status`, async (t) => {
    const refused = await workspace(t, 401, { statusCode: 401, error: 'UNAUTHENTICATED', messages: ['no'] });
    for (const [payload, env, status, code] of [
      [request({ hello: 1 }), {}, 400, 'unknown_payload'],
      [request({}), { ROLLUP_ENGINE_CONFIG: '{' }, 500, 'invalid_config'],
      [request({}), { TWENTY_API_URL: 'nowhere' }, 500, 'invalid_url'],
      [request({}), {}, 502, 'unauthorized'],
      [request({ health: true }), {}, 503, 'unhealthy'],
      [request({}), { ROLLUP_ENGINE_CONFIG: '[]' }, 200, 'paused'],
      [request({ ids: [] }), {}, 200, null],
    ]) {
      const run = await call(output, refused.url, payload, env);
      const answer = httpAnswer(run);
      assert.deepEqual([answer.status, JSON.parse(answer.body).code], [status, code], JSON.stringify(payload));
      assert.equal(answer.headers['content-type'], 'application/json');
    }
  });
}

// Only a request gets a status: everything else gets the report as it is.
test('other triggers get the report', async (t) => {
  const refused = await workspace(t, 401, { statusCode: 401, error: 'UNAUTHENTICATED', messages: ['no'] });
  const { result } = await call('output', refused.url, {});
  assert.deepEqual([result.status, result.code], ['error', 'unauthorized']);
});
