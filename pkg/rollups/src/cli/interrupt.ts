// Ctrl-C: nothing further is sent, requests under way may end, and then the command does. A batch that is cut off would
// do no harm, as values are absolute; but whether it was written could not be told.

import type { Fetch, Signals } from './context.js';
import { EXIT, type ExitCode } from './outcome.js';

const EXIT_OF_SIGNAL = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated } as const;
const STOP_TIMEOUT_MS = 15_000;

interface Interruptible {
  fetch: Fetch;
  /** Resolves with the exit code when the command is to end. */
  stopped: Promise<ExitCode>;
  release: () => void;
}

/**
 * @param signals the process
 * @param onStop is called at the first signal, with the number of requests under way
 */
export function interruptible(fetch: Fetch, signals: Signals, onStop: (underWay: number) => void): Interruptible {
  let underWay = 0;
  let exit: ExitCode | undefined;
  let finish: (code: ExitCode) => void;
  const stopped = new Promise<ExitCode>((resolve) => (finish = resolve));

  const guarded: Fetch = async (url, init) => {
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

  const handlers = (['SIGINT', 'SIGTERM'] as const).map((name) => {
    const stop = () => {
      const again = exit !== undefined;
      const code = (exit ??= EXIT_OF_SIGNAL[name]);
      if (again || underWay === 0) return finish(code);
      onStop(underWay);
      setTimeout(() => finish(code), STOP_TIMEOUT_MS).unref();
    };
    signals.on(name, stop);
    return () => signals.off(name, stop);
  });

  return { fetch: guarded, stopped, release: () => handlers.forEach((release) => release()) };
}
