// What a run is at, drawn from its log lines. Drawn only where somebody watches.

import cliProgress from 'cli-progress';

import { group } from './text.mjs';

const FORMAT = '  {what} {bar} {done} of {all}{also}  {duration_formatted}';

export class Progress {
  #bar;
  #what;
  /** What is left of the step on the screen. */
  #left = 0;
  #written = 0;
  /** Parents compared so far, by object: a line tells of one slice. */
  #compared = new Map();

  constructor(screen) {
    if (!screen.watched) return;
    this.#bar = new cliProgress.SingleBar({
      format: FORMAT,
      stream: screen.stage,
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
  take(event) {
    if (!this.#bar) return;
    const step = this.#stepOf(event);
    if (!step) return;
    const { what, value, of = 0, also = '' } = step;
    const total = Math.max(of, value, 1);
    const words = { what: what.padEnd(20), done: group(value), all: group(total), also };
    if (this.#what === what) this.#bar.setTotal(total);
    else this.#bar.start(total, 0, words);
    this.#what = what;
    this.#left = total - value;
    this.#bar.update(value, words);
  }

  #stepOf({ event, object, records = 0, of, parents = 0, differ, written }) {
    if (event === 'parents_written') {
      this.#written = written;
      // Writing goes on beside reading, which is shown as long as it lasts.
      const what = `writing ${object}`;
      return this.#left > 0 && this.#what !== what ? undefined : { what, value: written, of };
    }
    const soFar = this.#written > 0 ? `, ${group(this.#written)} written` : '';
    if (event === 'page_read') return { what: `reading ${object}`, value: records, of, also: soFar };
    if (event !== 'parents_compared') return undefined;
    const value = (this.#compared.get(object) ?? 0) + parents;
    this.#compared.set(object, value);
    return { what: `comparing ${object}`, value, of, also: `${differ ? `, ${group(differ)} differ` : ''}${soFar}` };
  }

  /** Takes the bar away, and gives the cursor back. */
  end() {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}
