/**
 * The queue of one installed app: what may be enqueued, how many run at once, what waits, what is tried again. It knows a
 * job's function and payload, and not what they mean.
 *
 * A caller that waits for it to be idle may be in a hurry: then the time until a delayed job is due passes at once, as soon as
 * nothing else is to be done. The budgets see that time pass too.
 */
import { randomUUID } from 'node:crypto';

import { Budget } from './budget.mjs';

const MINUTE = 60_000;
/** Limits of a default server, from its documentation. */
const LIMITS = { enqueued: 500, executed: 1000, parallel: 20, retries: 3 };
const RETRYABLE = 'RetryableLogicFunctionError';

export class Jobs {
  #waiting = [];
  #running = 0;
  #delayed = new Set();
  #idle = [];
  #hurrying = 0;
  #skippedMs = 0;
  #states = new Map();

  /**
   * @param {(job: object) => Promise<{ error?: { name: string } }>} execute runs one job once
   * @param {object} [options]
   * @param {Partial<typeof LIMITS>} [options.limits]
   * @param {number} [options.backoffMs] wait before the first retry; doubles
   * @param {(line: string) => void} [options.warn]
   */
  constructor(execute, { limits = {}, backoffMs = 1000, warn = () => {}, now = Date.now } = {}) {
    this.limits = { ...LIMITS, ...limits };
    Object.assign(this, { execute, backoffMs, warn, now: () => now() + this.#skippedMs });
    this.enqueueing = new Budget(this.limits.enqueued, MINUTE, this.now);
    this.executing = new Budget(this.limits.executed, MINUTE, this.now);
  }

  /**
   * Enqueues all of these runs of one function, or, when the budget does not allow them all, none: they are dropped
   * with a warning, and are not tried again.
   *
   * @returns {string[]} the jobs' ids; empty when dropped
   */
  enqueue(entry, items, { retryLimit = this.limits.retries, delayMs = 0 } = {}) {
    if (!this.enqueueing.take(items.length)) {
      this.warn(`dropped ${items.length} runs of ${entry.name}: more than ${this.limits.enqueued} a minute`);
      return [];
    }
    return items.map(({ payload = {}, jobId = randomUUID() }) => {
      const known = this.#states.get(jobId);
      if (known && ['WAITING', 'DELAYED', 'ACTIVE'].includes(known.state)) return jobId;
      const job = { jobId, entry, payload, delayMs, retryLimit, attemptsMade: 0, enqueuedAt: this.now() };
      this.#states.set(jobId, job);
      this.#place(job, delayMs);
      return jobId;
    });
  }

  /** Whether a run outside the queue, a route's, may start. */
  mayExecute() {
    return this.executing.take(1);
  }

  /** What became of a job, as `getJobs` tells it. */
  status(jobId) {
    const job = this.#states.get(jobId);
    if (!job) return undefined;
    const { state, attemptsMade, failedReason = null, enqueuedAt, startedAt = null, finishedAt = null } = job;
    return { jobId, state, attemptsMade, failedReason, enqueuedAt, startedAt, finishedAt };
  }

  /** Resolves once nothing waits, nothing is delayed and nothing runs; in a hurry, delays pass at once. */
  async idle({ hurry = false } = {}) {
    this.#hurrying += hurry ? 1 : 0;
    this.#hurry();
    if (!this.#quiet()) await new Promise((resolve) => this.#idle.push(resolve));
    this.#hurrying -= hurry ? 1 : 0;
  }

  /** Forgets what has not started; resolves once what runs has ended. */
  stop() {
    for (const { timer } of this.#delayed) clearTimeout(timer);
    this.#delayed.clear();
    this.#waiting = [];
    return this.idle();
  }

  #quiet() {
    return this.#waiting.length + this.#delayed.size + this.#running === 0;
  }

  #place(job, delayMs) {
    if (delayMs > 0) {
      job.state = 'DELAYED';
      const delayed = { due: this.now() + delayMs };
      delayed.end = () => {
        clearTimeout(delayed.timer);
        this.#delayed.delete(delayed);
        this.#place(job, 0);
      };
      delayed.timer = setTimeout(delayed.end, delayMs);
      this.#delayed.add(delayed);
      this.#hurry();
      return;
    }
    job.state = 'WAITING';
    this.#waiting.push(job);
    this.#work();
  }

  #hurry() {
    if (this.#hurrying === 0 || this.#waiting.length + this.#running > 0 || this.#delayed.size === 0) return;
    const next = [...this.#delayed].reduce((first, other) => (other.due < first.due ? other : first));
    this.#skippedMs += Math.max(0, next.due - this.now());
    next.end();
  }

  #work() {
    while (this.#waiting.length > 0 && this.#running < this.limits.parallel) {
      this.#running += 1;
      this.#attempt(this.#waiting.shift());
    }
    if (this.#quiet()) for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #attempt(job) {
    job.state = 'ACTIVE';
    job.startedAt ??= this.now();
    const { error } = this.mayExecute()
      ? await this.execute(job)
      : { error: { name: 'Error', message: `more than ${this.limits.executed} executions a minute` } };
    job.attemptsMade += 1;
    const again = error?.name === RETRYABLE && job.attemptsMade <= job.retryLimit;
    if (again) {
      this.#place(job, this.backoffMs * 2 ** (job.attemptsMade - 1));
    } else {
      job.state = error ? 'FAILED' : 'COMPLETED';
      job.finishedAt = this.now();
      if (error) job.failedReason = error.message;
    }
    this.#running -= 1;
    this.#work();
    this.#hurry();
  }
}
