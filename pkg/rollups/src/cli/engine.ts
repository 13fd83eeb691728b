// One call of the engine, with its log lines led to whoever wants them.

import { EXIT, Ending, HINTS, exitOf } from './outcome.mjs';
import { Progress } from './progress.mjs';
import { engineOptions } from './settings.mjs';
import { count } from './text.mjs';

/**
 * @param {object} context of the command: see `program.mjs`
 * @param {object} payload what the run is to do
 * @param {{ timeLimitSeconds?: number, onEvent?: (event: object) => void }} [more]
 * @returns {Promise<object>} the report
 */
export async function callEngine(context, payload, { timeLimitSeconds, onEvent } = {}) {
  const { world, screen, settings, flags, fetch } = context;
  const { calculateRollups } = await loadEngine(world);
  const progress = new Progress(screen);
  context.progress = progress;
  try {
    return await calculateRollups(payload, {
      ...engineOptions(settings),
      ...(timeLimitSeconds && { timeLimitSeconds }),
      fetch,
      // For the runs of this one command: the second is not to spend what the first has spent.
      store: (context.store ??= memory()),
      log: (event) => {
        progress.take(event);
        onEvent?.(event);
        if (flags.verbose) screen.tell(JSON.stringify(event));
      },
    });
  } finally {
    progress.end();
  }
}

function memory() {
  const kept = new Map();
  return {
    get: async (key) => kept.get(key) ?? null,
    set: async (key, value) => void kept.set(key, value),
    delete: async (key) => void kept.delete(key),
  };
}

export const loadEngine = (world) =>
  world.engine().catch((error) => {
    throw new Ending(EXIT.fault, 'not_built', `the engine cannot be loaded: ${error.message}`);
  });

/** Ends the command if the definitions are not sound: before the engine is called, and in the name of their file. */
export async function requireSoundness({ config, source }, world) {
  if (config === undefined) return;
  const { validateDefinitions } = await loadEngine(world);
  const { errors } = validateDefinitions(config);
  if (errors.length === 0) return;
  const list = errors.map(({ place, message }) => `  ${place}: ${message}`).join('\n');
  throw new Ending(EXIT.wrong, 'invalid_config', `${source}: ${count(errors.length, 'fault')}\n${list}`);
}

/** Ends the command if the report says that nothing came of the run. */
export function refuseError(report) {
  if (report.status !== 'error') return;
  const ending = new Ending(exitOf(report), report.code, report.message, HINTS[report.code]);
  ending.report = report;
  throw ending;
}
