// The file that a rebuild leaves when it ends before its end. It says which workspace it belongs to, because a cursor of
// one workspace means nothing in another, and holds no token.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';

import { usage } from './outcome.mjs';

const KIND = 'twenty-rollups checkpoint';

/** @throws {import('./outcome.mjs').Ending} if it is no checkpoint, or one of another workspace */
export function readCheckpoint(path, url) {
  let file;
  try {
    file = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw usage('unreadable_file', `cannot read the checkpoint \`${path}\`: ${error.code === 'ENOENT' ? 'there is no such file' : error.message}`);
  }
  if (file?.kind !== KIND || typeof file.checkpoint !== 'object' || file.checkpoint === null) {
    throw usage('invalid_checkpoint', `\`${path}\` is no checkpoint of a rebuild`);
  }
  if (file.url !== url) {
    throw usage('invalid_checkpoint', `the checkpoint \`${path}\` belongs to ${file.url}, not to ${url}`);
  }
  return file.checkpoint;
}

export function writeCheckpoint(path, url, checkpoint) {
  const text = JSON.stringify({ kind: KIND, url, savedAt: new Date().toISOString(), checkpoint }, null, 2);
  try {
    writeFileSync(path, `${text}\n`, { mode: 0o600 });
  } catch (error) {
    throw usage('unwritable_file', `cannot write the checkpoint \`${path}\`: ${error.message}`);
  }
}

export const removeCheckpoint = (path) => rmSync(path, { force: true });
