// One call of the engine, with its log lines led to the progress bar and to the command.

import type { CompleteReport, Fault, LogEvent, PartialReport, Report, Store } from '../index.js';
import type { Context, Engine, Host } from './context.js';
import { positionOfPlace } from './json-text.js';
import { CliError, EXIT, HINTS, exitOf, messageOf } from './outcome.js';
import { Progress } from './progress.js';
import { type Settings, engineOptions } from './settings.js';
import { formatCount } from './text.js';

interface CallOptions {
  timeLimitSeconds?: number | undefined;
  only?: readonly number[] | undefined;
  onEvent?: (event: LogEvent) => void;
}

/** @param payload what the run is to do */
export async function callEngine(context: Context, payload: object, { timeLimitSeconds, only, onEvent }: CallOptions = {}): Promise<Report> {
  const { host, screen, settings, flags, fetch } = context;
  const { calculateRollups } = await loadEngine(host);
  const progress = (context.progress ??= new Progress(screen, host.now, screen.isInteractive && !flags.verbose));
  progress.begin(!('dryRun' in payload || 'explain' in payload || 'plan' in payload));
  try {
    return await calculateRollups(payload, {
      ...engineOptions(settings),
      ...(only && { only }),
      ...(timeLimitSeconds && { timeLimitSeconds }),
      fetch,
      store: (context.store ??= memoryStore()),
      log: (event) => {
        progress.take(event);
        onEvent?.(event);
        if (flags.verbose) screen.log(JSON.stringify(event));
      },
    });
  } finally {
    progress.end();
  }
}

function memoryStore(): Store {
  const kept = new Map<string, string>();
  return {
    get: async (key) => kept.get(key) ?? null,
    set: async (key, value) => void kept.set(key, value),
    delete: async (key) => void kept.delete(key),
  };
}

export const loadEngine = (host: Host): Promise<Engine> =>
  host.engine().catch((error: unknown) => {
    throw new CliError(EXIT.fault, 'not_built', `the engine cannot be loaded: ${messageOf(error)}`);
  });

/** Ends the command if the definitions are not sound: before the engine is called, and in the name of their file. */
export async function requireValidDefinitions(settings: Settings, host: Host): Promise<void> {
  const { config, source } = settings;
  if (config === undefined) return;
  const { validateDefinitions } = await loadEngine(host);
  const { errors } = validateDefinitions(config);
  if (errors.length === 0) return;
  const list = errors.map((fault) => `  ${faultInWords(fault, settings)}`).join('\n');
  throw new CliError(EXIT.wrong, 'invalid_config', `${source}: ${formatCount(errors.length, 'fault')}\n${list}`);
}

/** A fault with its place: by line and column of a file, and by what stands there. */
export function faultInWords({ place, message }: Fault, { text, source }: Settings): string {
  const position = text === undefined ? undefined : positionOfPlace(text, place);
  return `${position ? `${source}:${position}: ` : ''}${place}: ${message}`;
}

/** Ends the command if the report says that nothing came of the run. */
export function throwIfError(report: Report): asserts report is CompleteReport | PartialReport {
  if (report.status !== 'error') return;
  const error = new CliError(exitOf(report), report.code, report.message, (HINTS as Record<string, string>)[report.code]);
  error.report = report;
  throw error;
}
