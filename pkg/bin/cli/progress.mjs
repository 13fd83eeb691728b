// What a run is at, drawn from its log lines. Drawn only where somebody watches.

import cliProgress from 'cli-progress';

import { group } from './text.mjs';

const FORMAT = '  {what} {bar} {done} of {all}{also}  {duration_formatted}';

const WHAT = {
  page_read: ({ object, records, of }) => ({ what: `reading ${object}`, value: records, total: of, also: '' }),
  parents_compared: ({ object, parents, of, differ }) => ({
    what: `comparing ${object}`,
    value: parents,
    total: of,
    also: differ ? `, ${group(differ)} differ` : '',
  }),
};

export class Progress {
  #bar;
  #what;
  #written = 0;

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
    const step = WHAT[event.event]?.(event);
    if (!step) return;
    const total = Math.max(step.total ?? 0, step.value ?? 0, 1);
    const also = step.also + (this.#written > 0 ? `, ${group(this.#written)} written` : '');
    const words = { what: step.what.padEnd(20), done: group(step.value ?? 0), all: group(total), also };
    if (this.#what === step.what) this.#bar.setTotal(total);
    else this.#bar.start(total, 0, words);
    this.#what = step.what;
    this.#bar.update(step.value ?? 0, words);
  }

  /** Takes the bar away, and gives the cursor back. */
  end() {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}
