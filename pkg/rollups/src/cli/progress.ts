// What a run is at, drawn from its log lines. Drawn only on a terminal.

import cliProgress from 'cli-progress';

import type { LogEvent } from '../index.js';
import type { Screen } from './screen.js';
import { formatNumber } from './text.js';

const FORMAT = '  {what} {bar} {done} of {all}{also}  {duration_formatted}';

interface Step {
  what: string;
  value: number;
  of?: number | undefined;
  also?: string;
}

export class Progress {
  #bar: cliProgress.SingleBar | undefined;
  #what: string | undefined;
  /** What is left of the step on the screen. */
  #left = 0;
  #written = 0;
  /** Parents compared so far, by object: a line tells of one slice. */
  #compared = new Map<string, number>();

  constructor(screen: Screen) {
    if (!screen.isInteractive) return;
    this.#bar = new cliProgress.SingleBar({
      format: FORMAT,
      stream: screen.progressStream as NodeJS.WritableStream,
      clearOnComplete: true,
      hideCursor: true,
      barsize: 30,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      // Ctrl-C is the command's own.
      gracefulExit: false,
    });
  }

  /** Takes a log line of the engine. */
  take(event: LogEvent): void {
    if (!this.#bar) return;
    const step = this.#stepOf(event as unknown as ProgressEvent);
    if (!step) return;
    const { what, value, of = 0, also = '' } = step;
    const total = Math.max(of, value, 1);
    const words = { what: what.padEnd(20), done: formatNumber(value), all: formatNumber(total), also };
    if (this.#what === what) this.#bar.setTotal(total);
    else this.#bar.start(total, 0, words);
    this.#what = what;
    this.#left = total - value;
    this.#bar.update(value, words);
  }

  #stepOf({ event, object, records = 0, of, parents = 0, differ, written = 0 }: ProgressEvent): Step | undefined {
    if (event === 'parents_written') {
      this.#written = written;
      // Writing goes on beside reading, which is shown as long as it lasts.
      const what = `writing ${object}`;
      return this.#left > 0 && this.#what !== what ? undefined : { what, value: written, of };
    }
    const soFar = this.#written > 0 ? `, ${formatNumber(this.#written)} written` : '';
    if (event === 'page_read') return { what: `reading ${object}`, value: records, of, also: soFar };
    if (event !== 'parents_compared') return undefined;
    const value = (this.#compared.get(object) ?? 0) + parents;
    this.#compared.set(object, value);
    return { what: `comparing ${object}`, value, of, also: `${differ ? `, ${formatNumber(differ)} differ` : ''}${soFar}` };
  }

  /** Takes the bar away, and gives the cursor back. */
  end(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}

/** The fields of the log lines that a bar is drawn from. */
interface ProgressEvent {
  event: string;
  object: string;
  records?: number;
  of?: number;
  parents?: number;
  differ?: number;
  written?: number;
}
