// What a command is at, drawn from the engine's log lines: one line with one clock, however many runs there are. Drawn
// only on a terminal.

import cliProgress from 'cli-progress';

import type { LogEvent } from '../index.js';
import type { Screen } from './screen.js';
import { formatClock, formatNumber, formatRemaining } from './text.js';

const BAR_WIDTH = 8;

/** What the line shows. */
interface State {
  what: string;
  /** Seconds that the rest takes at least; unknown before there is a plan. */
  secondsLeft?: number | undefined;
  /** Seconds that it takes at most, where writes were not measured yet. */
  secondsAtMost?: number | undefined;
  /** When the estimate was made. */
  estimatedAt: number;
  /** Until when nothing is sent, and why. */
  waiting?: { until: number; why: string } | undefined;
}

export class Progress {
  readonly #now: () => number;
  readonly #screen: Screen;
  readonly #isShown: boolean;
  readonly #began: number;
  #writes = true;
  #bar: cliProgress.SingleBar | undefined;
  #state: State;
  /** Parents written in this run, and in those before it. */
  #written = 0;
  #writtenBefore = 0;
  /** Parents compared in this run, by object: a line tells of one slice. */
  #compared = new Map<string, number>();

  /** @param isShown whether it is drawn at all */
  constructor(screen: Screen, now: () => number, isShown: boolean) {
    this.#screen = screen;
    this.#isShown = isShown;
    this.#now = now;
    this.#began = now();
    this.#state = { what: 'looking at the workspace', estimatedAt: this.#began };
  }

  /**
   * Shows the line; a run that goes on after another one goes on with its clock and its counts.
   *
   * @param writes whether the run writes: the plan counts that as well
   */
  begin(writes: boolean): void {
    this.#writes = writes;
    this.#writtenBefore += this.#written;
    this.#written = 0;
    this.#compared.clear();
    this.#state.waiting = undefined;
    if (!this.#isShown || this.#bar) return;
    this.#bar = new cliProgress.SingleBar({
      format: () => this.line(),
      stream: this.#screen.progressStream as NodeJS.WritableStream,
      clearOnComplete: true,
      hideCursor: true,
      linewrap: false,
      fps: 4,
      // Ctrl-C is the command's own.
      gracefulExit: false,
    });
    this.#bar.start(1, 0);
  }

  /** Takes a log line of the engine. */
  take(event: LogEvent): void {
    const line = event as unknown as ProgressEvent;
    const now = this.#now();
    const what = this.#whatOf(line);
    const isPlan = line.event === 'plan_made' && this.#writes;
    const seconds = isPlan ? line.seconds : line.secondsLeft;
    if (what !== undefined || seconds !== undefined) {
      const estimate = seconds === undefined ? {} : { secondsLeft: seconds, secondsAtMost: isPlan ? line.secondsAtMost : undefined, estimatedAt: now };
      // What was waited for has come.
      this.#state = { ...this.#state, ...estimate, what: what ?? this.#state.what, waiting: undefined };
    }
    if (line.event === 'request_held_back') this.#state.waiting = { until: now + (line.waitMs ?? 0), why: 'waiting for the rate limit' };
    if (line.event === 'request_retried' && line.status !== 429) {
      this.#state.waiting = { until: now + (line.waitMs ?? 0), why: `the server ${line.status ? `answers ${line.status}` : 'does not answer'}` };
    }
  }

  /** The words of a step, or nothing if the line tells of none. */
  #whatOf({ event, object, records = 0, of = 0, parents = 0, written = 0 }: ProgressEvent): string | undefined {
    if (event === 'parents_written') {
      this.#written = written;
      return `writing ${object}, ${this.#writtenInWords()}`;
    }
    const soFar = this.#writtenBefore + this.#written > 0 ? `, ${this.#writtenInWords()}` : '';
    if (event === 'page_read') return `reading ${object}, ${outOf(records, of)}${soFar}`;
    if (event !== 'parents_compared') return undefined;
    const value = (this.#compared.get(object) ?? 0) + parents;
    this.#compared.set(object, value);
    return `comparing ${object}, ${outOf(value, of)}${soFar}`;
  }

  #writtenInWords(): string {
    return `${formatNumber(this.#writtenBefore + this.#written)} written`;
  }

  /** The line as it is drawn. */
  line(): string {
    const now = this.#now();
    const { what, secondsLeft, secondsAtMost = secondsLeft, estimatedAt, waiting } = this.#state;
    const clock = formatClock(now - this.#began);
    if (waiting && waiting.until > now) {
      const verb = waiting.why.startsWith('waiting') ? 'goes on' : 'tries again';
      return `  ${waiting.why}, ${verb} at ${timeOfDay(waiting.until)}  ${clock}`;
    }
    if (secondsLeft === undefined || secondsAtMost === undefined) return `  ${what}  ${clock}`;
    const leftOf = (seconds: number) => Math.max(0, seconds * 1000 - (now - estimatedAt));
    const gone = now - this.#began;
    const filled = Math.round((gone / Math.max(1, gone + leftOf(secondsAtMost))) * BAR_WIDTH);
    const left = formatRemaining(leftOf(secondsLeft), leftOf(secondsAtMost));
    return `  ${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${clock}, ${left}  ${what}`;
  }

  /** Takes the line away, and gives the cursor back. */
  end(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}

/** `4,600 of 24,000`; a count that went on while it was read is not above itself. */
const outOf = (number: number, of: number) => `${formatNumber(number)} of ${formatNumber(Math.max(number, of))}`;

/** `14:03:20`, as the clock on the wall has it. */
const timeOfDay = (at: number) => new Date(at).toLocaleTimeString('en-GB');

/** The fields of the log lines that the line is drawn from. */
interface ProgressEvent {
  event: string;
  object: string;
  records?: number;
  of?: number;
  parents?: number;
  written?: number;
  secondsLeft?: number;
  seconds?: number;
  secondsAtMost?: number;
  waitMs?: number;
  status?: number | string | null;
}
