// Runs over time: from a log, from the page that is written over, and this one.

import { createReadStream, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

import { entryIn } from '../log-line.js';
import { codeOf, messageOf, usage } from '../outcome.js';

export interface PastRun {
  /** When it ended; absent where the log has no times. */
  at?: string;
  mode: string;
  status: string;
  /** Parents compared. */
  compared: number;
  /** Wrong values that it found; absent where it says nothing of them. */
  wrong?: number;
  requests: number;
  /** Refusals for the rate limit. */
  throttled: number;
  tookMs: number;
}

const MAX_RUNS = 400;
const MODES = new Set(['full-rebuild', 'targeted', 'sweep', 'plan', 'dry-run', 'explain', 'health']);
const STATUS = new Set(['ok', 'partial', 'noop', 'error']);

const TIME = /(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,]\d+)?\s?(Z|[+-]\d\d:?\d\d)?/;

/** The end of a run, in a line of a log; the time may stand anywhere in it. */
export function runInLine(text: string): PastRun | undefined {
  const entry = entryIn(text);
  if (entry?.event !== 'rollups_calculated') return undefined;
  const [found, day, time, zone = 'Z'] = TIME.exec(text) ?? [];
  const at = found === undefined ? undefined : new Date(`${day}T${time}${zone}`);
  const { values } = (entry.drift ?? {}) as { values?: unknown };
  return soundRun({ ...entry, compared: entry.processed, wrong: values, ...(at && !Number.isNaN(at.getTime()) && { at: at.toISOString() }) });
}

/** A run of whatever stands in a file: its numbers are numbers, its words are ours. */
function soundRun(run: Record<string, unknown>): PastRun {
  const count = (value: unknown) => (typeof value === 'number' && value >= 0 && Number.isFinite(value) ? value : 0);
  const at = typeof run.at === 'string' && !Number.isNaN(Date.parse(run.at)) ? new Date(run.at).toISOString() : undefined;
  return {
    ...(at && { at }),
    mode: MODES.has(String(run.mode)) ? String(run.mode) : 'run',
    status: STATUS.has(String(run.status)) ? String(run.status) : 'unknown',
    compared: count(run.compared),
    ...(typeof run.wrong === 'number' && { wrong: count(run.wrong) }),
    requests: count(run.requests),
    throttled: count(run.throttled),
    tookMs: count(run.tookMs),
  };
}

export async function runsInLog(path: string, shown: string): Promise<PastRun[]> {
  const runs: PastRun[] = [];
  try {
    for await (const text of createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Infinity })) {
      const run = runInLine(text);
      if (run && run.status !== 'noop') runs.push(run);
      if (runs.length > 2 * MAX_RUNS) runs.splice(0, MAX_RUNS);
    }
  } catch (error) {
    throw usage('unreadable_file', `cannot read \`${shown}\`: ${codeOf(error) === 'ENOENT' ? 'there is no such file' : messageOf(error)}`);
  }
  return runs;
}

const BEGIN = '<script type="application/json" id="measured">';
const END = '</script>';

/** What the page keeps for the one that is written over it. */
export const keptRuns = (runs: readonly PastRun[]): string => `${BEGIN}${JSON.stringify(runs.slice(-MAX_RUNS)).replaceAll('<', '\\u003c')}${END}`;

/** The comparisons of the page that is to be written over; none if it is another file. */
export function runsInPage(path: string): PastRun[] {
  try {
    const text = readFileSync(path, 'utf8');
    const start = text.indexOf(BEGIN);
    if (start < 0) return [];
    const runs = JSON.parse(text.slice(start + BEGIN.length, text.indexOf(END, start)));
    return Array.isArray(runs) ? runs.filter((run) => typeof run === 'object' && run !== null).map(soundRun) : [];
  } catch {
    return [];
  }
}

/** The runs in the order of their ends; those of a log without times as they stand in it. */
export function inOrder(runs: readonly PastRun[]): PastRun[] {
  const timed = runs.every(({ at }) => at !== undefined);
  return (timed ? runs.toSorted((one, other) => Date.parse(one.at!) - Date.parse(other.at!)) : [...runs]).slice(-MAX_RUNS);
}
