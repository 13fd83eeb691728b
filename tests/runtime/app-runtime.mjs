/**
 * Twenty's app platform beside a sandbox: installs a built app, feeds it the sandbox's record events, cron ticks on
 * command and its HTTP routes, and runs its functions as the local driver does. The sandbox holds the records and knows
 * nothing of apps.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

import { readApp } from './app.mjs';
import { ticks } from './cron.mjs';
import { runFunction } from './driver.mjs';
import { triggered } from './events.mjs';
import { openFront } from './front.mjs';
import { installModel, listObjects } from './install.mjs';
import { Jobs } from './jobs.mjs';
import { AppMetadata } from './metadata.mjs';
import { Rights } from './rights.mjs';

const WORKSPACE = '20202020-1c25-4d02-bf25-6aeccf7ea419';
const RUNS_KEPT = 1000;
/** How long an answer about events that are there already may take to begin; without events it would be held open. */
const PEEK_MS = 250;
/** Pause after an answer without events. */
const EMPTY_PAUSE_MS = 50;

const jsonOf = async (response) => {
  if (!response.ok) throw new Error(`${response.url} failed: HTTP ${response.status}: ${await response.text()}`);
  return response.json();
};

class AppRuntime {
  #stop = new AbortController();
  #cursor = 0;
  #moved = [];

  constructor(options) {
    Object.assign(this, { runs: [], variables: {}, version: 'v2', workspaceId: WORKSPACE, log: () => {}, ...options });
    const execute = ({ entry, payload, delayMs, attemptsMade, retryLimit }) =>
      this.#run(entry, payload, { delayMs, retryCount: attemptsMade, maxRetries: retryLimit });
    this.jobs = new Jobs(execute, { limits: this.limits, warn: this.log });
    this.metadata = new AppMetadata(this.app, this.jobs, this.without);
    this.rights = new Rights(this.app, () => listObjects(this.sandbox));
  }

  async start(port) {
    const { url } = this.sandbox;
    ({ token: this.token } = await jsonOf(await fetch(`${url}/__sandbox/app-token`, { method: 'POST' })));
    this.front = await openFront(
      {
        target: url,
        app: this.app,
        isKnown: (token) => [this.token, this.sandbox.token, this.sandbox.guestToken].includes(token),
        isApp: (token) => token === this.token,
        refuses: (call) => this.rights.refuses(call),
        answerMetadata: (document, isApp) => this.metadata.answer(document, isApp),
        routeHost: this.routeHost,
        runRoute: (entry, payload) => (this.jobs.mayExecute() ? this.#run(entry, payload) : undefined),
        controls: {
          'POST /__app/cron': async (which) => this.cron(which),
          'POST /__app/run': ({ function: id, payload }) => this.run(id, payload),
          'POST /__app/idle': (how) => this.idle(how),
          'GET /__app/runs': async () => this.runs,
        },
      },
      port,
    );
    this.url = this.front.url;
    // What happened before the app was there is not told to it.
    this.#cursor = (await this.#events(0, PEEK_MS))?.next ?? 0;
    this.installed = await installModel(this.sandbox, this.app);
    if (this.app.postInstall) {
      this.jobs.enqueue(this.app.postInstall, [{ payload: { newVersion: this.app.version } }]);
    }
    this.#pump();
  }

  /**
   * One tick: the functions with a cron trigger are enqueued; all of them, whatever their patterns say about the time, or
   * those whose pattern has this minute, or one.
   *
   * @param {{ at?: string | Date, function?: string }} [which]
   */
  cron({ at, function: id } = {}) {
    const entries = this.app.functions.filter(
      ({ cronTriggerSettings, name, universalIdentifier }) =>
        cronTriggerSettings &&
        (at === undefined || ticks(cronTriggerSettings.pattern, new Date(at))) &&
        (id === undefined || [name, universalIdentifier].includes(id)),
    );
    return entries.flatMap((entry) => this.jobs.enqueue(entry, [{ payload: {} }]));
  }

  /** Runs a function now, as `dev:function:exec` does, and resolves to its run. */
  run(id, payload = {}) {
    const entry = this.app.function(id);
    if (!entry) throw new Error(`function \`${id}\` not found in the app`);
    return this.#run(entry, payload);
  }

  /**
   * Resolves once the sandbox has no events that were not looked at, and no job is left. Delayed jobs are waited for; in a
   * hurry, their time comes at once.
   */
  async idle({ hurry = false } = {}) {
    for (;;) {
      await this.jobs.idle({ hurry });
      const cursor = this.#cursor;
      const found = await this.#events(cursor, PEEK_MS);
      if (!found?.events.length) return { runs: this.runs.length };
      if (this.#cursor === cursor) await new Promise((resolve) => this.#moved.push(resolve));
    }
  }

  /** Kills what runs and stops serving. */
  async close() {
    this.#stop.abort();
    await this.jobs.stop();
    await this.front?.close();
  }

  /** Events after a number; undefined when the answer did not begin in time, or the runtime was closed. */
  async #events(after, patienceMs) {
    const impatience = new AbortController();
    const clock = patienceMs && setTimeout(() => impatience.abort(), patienceMs);
    try {
      const signal = AbortSignal.any([this.#stop.signal, impatience.signal]);
      const response = await fetch(`${this.sandbox.url}/__sandbox/events?after=${after}`, { signal });
      clearTimeout(clock);
      return await jsonOf(response);
    } catch (error) {
      if (error.name === 'AbortError') return undefined;
      throw error;
    }
  }

  async #pump() {
    while (!this.#stop.signal.aborted) {
      try {
        const found = await this.#events(this.#cursor);
        if (found?.events.length) this.#take(found);
        // An answer without events can come at once, when older ones are no longer kept.
        else await pause(EMPTY_PAUSE_MS);
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.log(`no more events are delivered: ${error.message}`);
        return;
      }
    }
  }

  #take({ events, next }) {
    for (const { entry, payloads } of triggered(this.app, events, this.workspaceId, this.version === 'v2')) {
      this.jobs.enqueue(entry, payloads.map((payload) => ({ payload })));
    }
    this.#cursor = next;
    for (const resolve of this.#moved.splice(0)) resolve();
  }

  #environment() {
    const older = {
      TWENTY_API_URL: this.url,
      TWENTY_APP_ACCESS_TOKEN: this.token,
      TWENTY_API_KEY: this.token,
      APPLICATION_ID: this.applicationId,
    };
    const server =
      this.version === 'v2'
        ? { ...older, TWENTY_APP_APPLICATION_ACCESS_TOKEN: this.token, TWENTY_FUNCTIONS_URL: '' }
        : older;
    return { ...server, ...this.app.variables, ...this.variables };
  }

  async #run(entry, payload, { delayMs = 0, retryCount = 0, maxRetries = 0 } = {}) {
    const context = { retryCount, maxRetries, workspaceId: this.workspaceId, userWorkspaceId: null, workspaceMemberId: null };
    const run = await runFunction({
      node: this.node,
      bundle: entry.bundle,
      handlerName: entry.handlerName,
      payload,
      context: this.version === 'v2' ? context : undefined,
      env: this.#environment(),
      timeoutMs: (entry.timeoutSeconds ?? 300) * 1000,
      signal: this.#stop.signal,
    });
    if (this.#stop.signal.aborted) return run;
    if (this.losesResults && !run.error) run.result = undefined;
    this.runs.push({ function: entry.name, payload, delayMs, ...run });
    if (this.runs.length > RUNS_KEPT) this.runs.shift();
    if (run.error) this.log(`${entry.name}: ${run.error.name}: ${run.error.message}`);
    return run;
  }
}

/**
 * Installs an app beside a running sandbox and starts to serve it.
 *
 * @param {object} options
 * @param {{ url: string, token: string, guestToken?: string }} options.sandbox
 * @param {string} options.output the built app
 * @param {string} options.node the Node binary that runs the functions
 * @param {'v1' | 'v2'} [options.version] the server's age: v1 knows neither batches nor the app's second token
 * @param {Record<string, string>} [options.variables] values of application variables
 * @param {Record<string, string>} [options.objects] names of objects by universal identifier, for an app without a model
 * @param {object} [options.limits] of the queue, see jobs.mjs
 * @param {('kv' | 'enqueueJobs')[]} [options.without] what the server does not have of the apps' own calls
 * @param {string} [options.workspaceId]
 * @param {string} [options.routeHost] of a server of several workspaces: the one host at which there are routes
 * @param {boolean} [options.losesResults] as the local driver does under load: a run ends well, and its result is lost
 * @param {(line: string) => void} [options.log]
 */
export const startApp = async ({ port = 0, output, objects, ...options }) => {
  const runtime = new AppRuntime({ app: readApp(output, objects), applicationId: randomUUID(), ...options });
  try {
    await runtime.start(port);
  } catch (error) {
    await runtime.close();
    throw error;
  }
  return runtime;
};
