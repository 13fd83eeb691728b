// What a run is at, drawn from its log lines. Drawn only where somebody watches.

import cliProgress from 'cli-progress';

import { group } from './text.mjs';

const FORMAT = '  {what} {bar} {done} of {all}{also}  {duration_formatted}';

export class Progress {
  #bar;
  #what;
  #written = 0;
  /** Parents compared so far, by object: a line tells of one slice. */
  #compared = new Map();
  /** Records by object, as far as a line has told. */
  #counts = new Map();

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
    if (event.event === 'parents_written') this.#written += event.written ?? 0;
    const step = this.#stepOf(event);
    if (!step) return;
    const { what, value, also } = step;
    const total = Math.max(this.#counts.get(event.object) ?? 0, value, 1);
    const words = { what: what.padEnd(20), done: group(value), all: group(total), also };
    if (this.#what === what) this.#bar.setTotal(total);
    else this.#bar.start(total, 0, words);
    this.#what = what;
    this.#bar.update(value, words);
  }

  #stepOf({ event, object, records = 0, of, parents = 0, differ }) {
    if (of) this.#counts.set(object, of);
    const written = this.#written > 0 ? `, ${group(this.#written)} written` : '';
    if (event === 'page_read') return { what: `reading ${object}`, value: records, also: written };
    if (event !== 'parents_compared') return undefined;
    const value = (this.#compared.get(object) ?? 0) + parents;
    this.#compared.set(object, value);
    return { what: `comparing ${object}`, value, also: `${differ ? `, ${group(differ)} differ` : ''}${written}` };
  }

  /** Takes the bar away, and gives the cursor back. */
  end() {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}
