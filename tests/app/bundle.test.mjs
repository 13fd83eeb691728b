import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';

import { runFunction } from '../runtime/driver.mjs';
import { node22, node24 } from '../support/nodes.mjs';
import { APP, build, ROLLUPS } from '../support/app.mjs';
import { listen } from '../support/http-server.mjs';

const gift = { id: '5f0f8a0e-2f5c-4a53-9d5c-0d8ee0a0f001', donorId: '5f0f8a0e-2f5c-4a53-9d5c-0d8ee0a0f002' };
const event = { recordId: gift.id, properties: { after: gift } };
const objectMetadata = { nameSingular: 'gift', namePlural: 'gifts' };

const payloads = {
  cron: {},
  'a batch of events': { name: 'gift.created', workspaceId: 'w', objectMetadata, events: [event] },
  'one event, as older servers send it': { name: 'gift.created', workspaceId: 'w', objectMetadata, ...event },
  route: {
    headers: {},
    queryStringParameters: {},
    pathParameters: {},
    body: {},
    rawBody: '{}',
    isBase64Encoded: false,
    requestContext: { http: { method: 'POST', path: '/recalculate-all' } },
    userWorkspaceId: null,
  },
};

let nodes;
before(async () => {
  await build();
  nodes = { 'Node 22': node22(), 'Node 24': node24() };
});

for (const version of ['Node 22', 'Node 24']) {
  for (const [trigger, payload] of Object.entries(payloads)) {
    // Calls the server with the app's token and answers plain JSON.
    test(`${version}, ${trigger}: calls with the app’s token`, async (t) => {
      const refusal = { statusCode: 401, error: 'UnauthorizedException', messages: ['Token invalid.'] };
      const server = await listen(t, () => ({ status: 401, body: refusal }));
      const { result, error } = await runFunction({
        node: nodes[version],
        bundle: join(APP, '.twenty', 'output', ROLLUPS),
        payload,
        env: {
          TWENTY_API_URL: server.url,
          TWENTY_APP_APPLICATION_ACCESS_TOKEN: 'token-of-the-app',
          TWENTY_APP_ACCESS_TOKEN: 'token-of-a-person',
          TWENTY_API_KEY: 'token-of-the-app',
          TWENTY_FUNCTIONS_URL: '',
          APPLICATION_ID: 'b1d8b3ce-6f68-4b0e-9d43-7f2a54f4d001',
          ROLLUP_ENGINE_CONFIG: '',
          ROLLUP_ENGINE_REQUESTS_PER_MINUTE: '',
        },
        timeoutMs: 60_000,
      });
      assert.equal(error, undefined);
      const { status, code } = trigger === 'route' ? result.body : result;
      assert.equal(status, 'error');
      assert.equal(typeof code, 'string');
      assert.notEqual(code, 'engine_trap');
      assert.ok(server.calls.length > 0);
      for (const { headers } of server.calls) assert.equal(headers.authorization, 'Bearer token-of-the-app');
    });
  }

  // Without an address the answer names the variable.
  test(`${version}: missing address`, async () => {
    const { result, error } = await runFunction({
      node: nodes[version],
      bundle: join(APP, '.twenty', 'output', ROLLUPS),
      payload: {},
      env: {},
      timeoutMs: 60_000,
    });
    assert.equal(error, undefined);
    assert.equal(result.status, 'error');
    assert.match(result.message, /TWENTY_API_URL/);
  });
}
