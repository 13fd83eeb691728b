// Runs a command in this process: what it prints and how it ends, with an engine and a network that the test makes.

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';

import { run } from '../../pkg/rollups/cli/program.js';

export const URL_HERE = 'https://crm.example.org';
export const TOKEN = 'a-token-of-the-workspace';
export const ADA = '783667c7-5ba5-40d4-86fe-136666dd32d2';

/** A report of the engine, as far as the commands look at it. */
export const report = (more = {}) => ({
  status: 'ok',
  code: null,
  message: null,
  mode: 'full-rebuild',
  tookMs: 1500,
  totals: { processed: 3, updated: 2, unchanged: 1, reset: 0, failed: 0, mixedCurrency: 0, ...more.totals },
  skipped: [],
  requests: { total: 7, unmetered: 1, throttled: 0, retried: 0, waitedMs: 0, bytes: 900, byEndpoint: { 'GET /rest/gifts': 7 } },
  details: [{ parentObject: 'person', childObject: 'gift', relationField: 'donorId', processed: 3, updated: 2 }],
  mixedCurrency: [],
  failures: [],
  notes: [],
  checkpoint: null,
  plan: null,
  drift: { parents: 0, values: 0, fields: {}, examples: [], since: null },
  explanation: null,
  health: null,
  requestId: null,
  ...Object.fromEntries(Object.entries(more).filter(([key]) => key !== 'totals')),
});

/** Two of the definitions that run where none are configured, in short. */
export const BUILT_IN = [
  { parentObject: 'person', childObject: 'gift', relationField: 'donorId', aggregations: [{ type: 'COUNT', parentField: 'lifetimeGiftCount' }] },
  { parentObject: 'appeal', childObject: 'gift', relationField: 'appealId', aggregations: [{ type: 'COUNT', parentField: 'giftCount' }] },
];

/** An engine that answers each call with the next of these reports, or with what a function makes of the call. */
export function fakeEngine(...answers) {
  const calls = [];
  return {
    calls,
    calculateRollups: async (payload, options) => {
      calls.push({ payload, options });
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      return typeof answer === 'function' ? answer(options, payload) : structuredClone(answer);
    },
    validateDefinitions: (config) => ({ valid: true, errors: [], definitions: (config.definitions ?? config).length }),
    builtInDefinitions: () => structuredClone(BUILT_IN),
  };
}

export const metadata = () => Response.json({ data: { objects: [] } });

const sink = (isTTY) => {
  const stream = new Writable({
    write(chunk, _, done) {
      stream.text += chunk;
      done();
    },
  });
  return Object.assign(stream, { text: '', isTTY, columns: 120 });
};

/** An empty folder for the time of the test. */
export function folderFor(t) {
  const folder = mkdtempSync(join(tmpdir(), 'twenty-rollups-cli-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * Runs a command line.
 *
 * @param {string} line arguments with a space between
 * @param {{ engine?: object, env?: object, folder?: string, fetch?: Function, tty?: boolean, signals?: EventEmitter,
 *   sleep?: Function, now?: Function, stdin?: AsyncIterable<string>, answers?: string[] }} given; with answers there is a
 *   person at the terminal, who gives them one after the other
 */
export async function command(line, { engine, env = {}, folder = '/nowhere', fetch = metadata, tty = false, signals, sleep = async () => {}, now = Date.now, stdin = [], answers } = {}) {
  const [stdout, stderr] = [sink(tty), sink(tty)];
  const questions = [];
  const ask = async (question, hidden = false) => {
    questions.push({ question, hidden });
    return answers.length > 0 ? answers.shift() : assert.fail(`nobody answers: ${question}`);
  };
  const exit = await run(line.split(' ').filter(Boolean), {
    env: { TWENTY_API_URL: URL_HERE, TWENTY_API_KEY: TOKEN, ...env },
    folder,
    stdout,
    stderr,
    fetch,
    signals: signals ?? new EventEmitter(),
    sleep,
    now,
    stdin,
    ask: answers && ask,
    engine: async () => engine ?? fakeEngine(report()),
  });
  return { exit, out: stdout.text, err: stderr.text, questions, json: () => JSON.parse(stdout.text) };
}
