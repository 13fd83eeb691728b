// The file that a rebuild leaves when it ends before its end. It says which workspace it belongs to, because a cursor of
// one workspace means nothing in another, and holds no token.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';

import type { Checkpoint } from '../index.js';
import { codeOf, messageOf, usage } from './outcome.js';

const KIND = 'twenty-rollups checkpoint';

interface CheckpointFile {
  kind: typeof KIND;
  url: string | undefined;
  savedAt: string;
  checkpoint: Checkpoint;
}

/** @throws {CliError} if it is no checkpoint, or one of another workspace */
export function readCheckpoint(path: string, url: string | undefined): Checkpoint {
  let file: Partial<CheckpointFile> | null;
  try {
    file = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw usage('unreadable_file', `cannot read the checkpoint \`${path}\`: ${codeOf(error) === 'ENOENT' ? 'there is no such file' : messageOf(error)}`);
  }
  if (file?.kind !== KIND || typeof file.checkpoint !== 'object' || file.checkpoint === null) {
    throw usage('invalid_checkpoint', `\`${path}\` is no checkpoint of a rebuild`);
  }
  if (file.url !== url) {
    throw usage('invalid_checkpoint', `the checkpoint \`${path}\` belongs to ${file.url}, not to ${url}`);
  }
  return file.checkpoint;
}

export function writeCheckpoint(path: string, url: string | undefined, checkpoint: Checkpoint): void {
  const file: CheckpointFile = { kind: KIND, url, savedAt: new Date().toISOString(), checkpoint };
  try {
    writeFileSync(path, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 });
  } catch (error) {
    throw usage('unwritable_file', `cannot write the checkpoint \`${path}\`: ${messageOf(error)}`);
  }
}

export const removeCheckpoint = (path: string): void => rmSync(path, { force: true });
