// Follows a log of runs, and says in a line what each run came to. The lines are the engine's, as JSON, whatever stands
// before them: a function's log, a container's, or what `--verbose` prints.

import { type FileHandle, open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { StringDecoder } from 'node:string_decoder';

import type { Command, Host } from '../context.js';
import { type Entry, MAX_LINE, entryIn } from '../log-line.js';
import { EXIT, codeOf, messageOf, usage } from '../outcome.js';
import type { Screen } from '../screen.js';
import { formatCount, formatDuration, formatNumber, hanging } from '../text.js';

const POLL_INTERVAL_MS = 500;
const CHUNK_BYTES = 65_536;

export const watch: Command = async ({ host, screen, flags }, file) => {
  if (file === undefined && host.ask) {
    throw usage('no_log', 'there is no log to follow', 'Name a file, or pipe a log in: docker compose logs -f worker | twenty-rollups watch');
  }
  const counts = { runs: 0, notOk: 0 };
  const chunks = file === undefined ? host.stdin : followed(resolve(host.folder, file), file, host, Boolean(flags.once));
  for await (const line of linesOf(chunks)) {
    const entry = entryIn(line);
    if (!entry) continue;
    if (entry.event === 'rollups_calculated') {
      counts.runs += 1;
      counts.notOk += Number(!['ok', 'noop'].includes(String(entry.status)));
    }
    show(screen, line, entry, host.now());
  }
  screen.print(`${formatCount(counts.runs, 'run')}${counts.notOk > 0 ? `, ${formatNumber(counts.notOk)} not whole` : ''}`);
  return { exit: counts.notOk > 0 ? EXIT.wrong : EXIT.ok, document: counts };
};

/** A file from its beginning, and what is added to it; from its beginning again where it was begun anew. */
async function* followed(path: string, shown: string, host: Host, once: boolean): AsyncGenerator<Uint8Array> {
  let handle: FileHandle | undefined;
  let [offset, inode] = [0, 0];
  const buffer = Buffer.alloc(CHUNK_BYTES);
  try {
    for (;;) {
      handle ??= await open(path).catch((error: unknown) => {
        if (codeOf(error) === 'ENOENT' && inode !== 0) return undefined;
        throw usage('unreadable_file', `cannot read \`${shown}\`: ${codeOf(error) === 'ENOENT' ? 'there is no such file' : messageOf(error)}`);
      });
      const { bytesRead = 0 } = (await handle?.read(buffer, 0, CHUNK_BYTES, offset)) ?? {};
      if (bytesRead > 0) {
        offset += bytesRead;
        yield buffer.subarray(0, bytesRead);
        continue;
      }
      if (once) return;
      const { size, ino } = (await handle?.stat()) ?? { size: 0, ino: 0 };
      inode ||= ino;
      if (size < offset) offset = 0;
      await host.sleep(POLL_INTERVAL_MS);
      const current = await open(path).then(async (other) => ({ other, ino: (await other.stat()).ino }), () => undefined);
      if (current && current.ino !== inode) {
        // The log was rotated: what is at its path is another file.
        await handle?.close();
        [handle, offset, inode] = [current.other, 0, current.ino];
      } else await current?.other.close();
    }
  } finally {
    await handle?.close();
  }
}

async function* linesOf(chunks: AsyncIterable<string | Uint8Array>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of chunks) {
    rest += typeof chunk === 'string' ? chunk : decoder.write(Buffer.from(chunk));
    const lines = rest.split(/\r?\n/);
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE) rest = '';
    yield* lines;
  }
  if (rest) yield rest;
}

function show(screen: Screen, line: string, entry: Entry, now: number): void {
  const words = inWords(entry);
  if (!words) return;
  const { red, yellow } = screen.colors;
  const color = entry.level === 'error' || entry.status === 'error' ? red : entry.level === 'warn' || entry.status === 'partial' ? yellow : String;
  for (const text of hanging(`${timeIn(line) ?? new Date(now).toLocaleTimeString('en-GB')}  `, words)) screen.print(color(text));
}

/** The time that stands before the entry, as in most logs. */
const timeIn = (line: string) => /^[^{]*?(?:\d{4}-\d\d-\d\d[T ])?(\d\d:\d\d:\d\d)/.exec(line)?.[1];

/** What an entry says; nothing for those that tell of progress. */
function inWords(entry: Entry): string | undefined {
  const number = (key: string) => (typeof entry[key] === 'number' ? entry[key] : 0);
  const text = (key: string) => (entry[key] === undefined || entry[key] === null ? '' : String(entry[key]));
  if (entry.event === 'rollups_calculated') {
    const wrong = Number((entry.drift as { values?: number } | undefined)?.values ?? 0);
    const parts = [
      `${formatNumber(number('processed'))} compared`,
      `${formatNumber(number('updated'))} written`,
      wrong > 0 && `${formatCount(wrong, 'value')} ${entry.mode === 'dry-run' ? 'are' : 'were'} wrong`,
      Array.isArray(entry.skipped) && entry.skipped.length > 0 && `${formatNumber(entry.skipped.length)} left out`,
      number('failed') > 0 && `${formatNumber(number('failed'))} not right`,
      `${formatCount(number('requests'), 'request')} in ${formatDuration(number('tookMs'))}`,
      number('throttled') > 0 && `${formatNumber(number('throttled'))} refused by the rate limit`,
      entry.continued === true && 'a next run goes on',
      text('message'),
    ];
    return `${[text('mode'), text('status')].filter(Boolean).join(' ')}: ${parts.filter(Boolean).join(', ')}`;
  }
  if (entry.event === 'request_held_back') return `waiting for the rate limit, ${formatDuration(number('waitMs'))}`;
  if (entry.event === 'request_retried') return `${text('endpoint')} again in ${formatDuration(number('waitMs'))}: ${text('reason') || `answered ${text('status')}`}`;
  if (entry.level !== 'warn' && entry.level !== 'error') return undefined;
  return [entry.event.replaceAll('_', ' '), text('message') || text('name')].filter(Boolean).join(': ');
}
