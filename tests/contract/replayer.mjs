// Runs the replayer of the recordings, where they lie beside the project.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

import { ROOT } from '../support/project.mjs';

export const recordings = path.resolve(ROOT, '../shared/twenty-contract');

export const haveRecordings = existsSync(path.join(recordings, 'replay.cjs'));

/** Replays against a running sandbox: `{ passed, failed: [{ step, line }], output }`. */
export async function replay(server, ...args) {
  const child = spawn(process.execPath, [
    path.join(recordings, 'replay.cjs'),
    '--base', server.url, '--token', server.token, '--guest-token', server.guestToken,
    '--revoked-token', server.revokedToken, '--direct-token', server.directToken,
    ...args,
  ]);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => { output += chunk; });
  await new Promise((resolve) => child.once('close', resolve));
  const failed = output.split('\n').flatMap((line) => {
    const match = /^\d\d[a-z]?-\S+ \| (?:(\d\d[a-z]?\.\d+)|(\S+))/.exec(line);
    return match && !/\| skipped/.test(line) ? [{ step: match[1] ?? match[2], line }] : [];
  });
  const total = /^(\d+) passed, (\d+) failed/m.exec(output.split('\n').findLast((line) => /^\d+ passed/.test(line)) ?? '');
  if (!total) throw new Error(`the replayer did not come to an end:\n${output}`);
  return { passed: Number(total[1]), failedCount: Number(total[2]), failed, output };
}
