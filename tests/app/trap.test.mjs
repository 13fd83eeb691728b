import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { node22, node24 } from '../support/nodes.mjs';
import { APP, build, ROLLUPS, run } from '../support/app.mjs';

const CALLER = fileURLToPath(new URL('./call-with-a-trap.mjs', import.meta.url));
const BUNDLE = pathToFileURL(join(APP, '.twenty', 'output', ROLLUPS)).href;

before(() => build());

for (const [version, node] of [['Node 22', node22], ['Node 24', node24]]) {
  for (const when of ['at-once', 'later']) {
    // After a trap … the answer says so and the next call has a fresh instance.
    test(`${version}: trap ${when}`, async () => {
      const { status, output } = await run(node(), [CALLER, BUNDLE, when], { env: {} });
      assert.equal(status, 0, output);
      const { results, instances } = JSON.parse(output.slice(output.indexOf('{"results"')));
      const message = 'the engine stopped on a fault of its own, and starts afresh with the next call: unreachable';
      assert.deepEqual(results[0], { status: 'error', code: 'engine_trap', message });
      for (const result of results.slice(1)) assert.notEqual(result.code, 'engine_trap');
      assert.equal(instances, 2);
    });
  }
}
