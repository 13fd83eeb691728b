// Prints the SHA-256 of what comes in. Every machine that builds has Node; not every one has `sha256sum`.

import { createHash } from 'node:crypto';

const hash = createHash('sha256');
for await (const chunk of process.stdin) hash.update(chunk);
console.log(hash.digest('hex'));
