/** The app asks for its store and its queue by documents of its own: they must be what the SDK would send. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { before, test } from 'node:test';

import { runFunction } from '../runtime/driver.mjs';
import { node24 } from '../support/nodes.mjs';
import { APP, build, manifestOf, ROLLUPS, SWEEP } from '../support/app.mjs';
import { listen } from '../support/http-server.mjs';

const OUTPUT = join(APP, '.twenty', 'output');
const requireFromApp = createRequire(join(APP, 'package.json'));

before(() => build());

/** A server with a store and a queue, that refuses everything else. */
const serve = async (t) => {
  const kept = new Map();
  const server = await listen(t, ({ url, body }) => {
    if (url !== '/metadata') return { status: 403, body: { statusCode: 403, error: 'ForbiddenException', messages: ['No.'] } };
    const { query, variables } = JSON.parse(body.toString());
    const { key, value, scope } = variables.input ?? variables;
    if (query.includes('setAppKeyValue')) kept.set(key, value);
    if (query.includes('deleteAppKeyValue')) return { body: { data: { deleteAppKeyValue: kept.delete(key) } } };
    if (query.includes('enqueueJobs')) return { body: { data: { enqueueJobs: { enqueued: true, jobIds: ['j'] } } } };
    const entry = kept.has(key) ? { key, value: kept.get(key), scope } : null;
    return { body: { data: { appKeyValue: entry, setAppKeyValue: entry } } };
  });
  /** Each document once, its spelling evened out, with the names in its variables. */
  const documents = () => {
    const all = server.calls
      .filter(({ url }) => url === '/metadata')
      .map(({ body, headers }) => {
        const { query, variables } = JSON.parse(body.toString());
        const text = query.replace(/^\s*(query|mutation)\s*\w*/, '$1 ').replaceAll(/\$v\d+/g, '$input').replaceAll(/[\s,]+/g, ' ');
        const names = Object.entries(variables).map(([name, value]) =>
          value?.constructor === Object ? `(${Object.keys(value).sort()})` : name,
        );
        return [text.replaceAll(/ ?([(){}:]) ?/g, '$1').trim(), names.sort().join(), headers.authorization].join(' | ');
      });
    return [...new Set(all)].sort();
  };
  return { url: server.url, documents };
};

const env = (url) => ({ TWENTY_API_URL: url, TWENTY_APP_APPLICATION_ACCESS_TOKEN: 'app', TWENTY_APP_ACCESS_TOKEN: 'app', TWENTY_API_KEY: 'app' });

const run = async (url, bundle, context) => {
  const { error } = await runFunction({ node: node24(), bundle: join(OUTPUT, bundle), payload: {}, context, env: env(url), timeoutMs: 60_000 });
  assert.equal(error, undefined);
};

test('documents, variables and token are the same', async (t) => {
  const ours = await serve(t);
  await run(ours.url, ROLLUPS);
  // This workspace's slot is not the first, so that there is a delay.
  await run(ours.url, SWEEP, { workspaceId: '20202020-1c25-4d02-bf25-6aeccf7ea419' });

  const theirs = await serve(t);
  Object.assign(process.env, env(theirs.url));
  const { kv, enqueueJobs } = requireFromApp('twenty-sdk/logic-function');
  await kv.set('k', 'v');
  assert.equal(await kv.get('k'), 'v');
  await kv.delete('k');
  const [{ universalIdentifier }] = manifestOf(OUTPUT).logicFunctions.filter(({ name }) => name === 'calculate-rollups');
  await enqueueJobs({ logicFunctionUniversalIdentifier: universalIdentifier, payloads: [{}], delayMs: 1000 });

  assert.equal(theirs.documents().length, 4);
  assert.deepEqual(ours.documents(), theirs.documents());
});
