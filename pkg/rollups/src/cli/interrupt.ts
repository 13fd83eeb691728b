// Ctrl-C: nothing further is sent, what is under way may end, and then the command does. A batch that is cut off would
// be no harm, as values are absolute; but nobody could say whether it was written.

import { EXIT } from './outcome.mjs';

const SIGNALS = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated };
const PATIENCE_MS = 15_000;

/**
 * @param {typeof globalThis.fetch} fetch
 * @param {{ on: Function, off: Function }} signals the process
 * @param {(underWay: number) => void} told is called at the first signal
 */
export function interruptible(fetch, signals, told) {
  let underWay = 0;
  let exit;
  let finish;
  const stopped = new Promise((resolve) => (finish = resolve));

  const guarded = async (url, init) => {
    // Never answered: the run behind it ends with the process.
    if (exit !== undefined) return new Promise(() => {});
    underWay += 1;
    try {
      return await fetch(url, init);
    } finally {
      underWay -= 1;
      if (exit !== undefined && underWay === 0) finish(exit);
    }
  };

  const handlers = Object.entries(SIGNALS).map(([name, code]) => {
    const stop = () => {
      const again = exit !== undefined;
      exit ??= code;
      if (again || underWay === 0) return finish(exit);
      told(underWay);
      setTimeout(() => finish(exit), PATIENCE_MS).unref?.();
    };
    signals.on(name, stop);
    return () => signals.off(name, stop);
  });

  return {
    fetch: guarded,
    /** Resolves with the exit code when the command is to end. */
    stopped,
    release: () => handlers.forEach((release) => release()),
  };
}
