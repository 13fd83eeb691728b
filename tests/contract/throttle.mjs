// The recorded rate limit against the sandbox, by the clock: three minutes, and a machine that is not busy.
// Not a test of the suite; `node tests/contract/throttle.mjs`. In virtual time the same is tested natively.

import { openSandbox } from '../support/sandbox.mjs';
import { haveRecordings, recordings, replay } from './replayer.mjs';

if (!haveRecordings) {
  console.error(`${recordings} is not there`);
  process.exit(2);
}
const server = await openSandbox('--limits', 'default');
const result = await replay(server, '--with-manual', '13-throttle');
await server.stop();
console.log(result.output);
process.exit(result.failedCount === 0 ? 0 : 1);
