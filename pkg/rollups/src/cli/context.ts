// What a command is handed.

import type { Definition, MissingFields, Report, Rollups, RunOptions, Store, Validation } from '../index.js';
import type { Outcome } from './outcome.js';
import type { Progress } from './progress.js';
import type { Ask } from './prompt.js';
import type { Screen } from './screen.js';
import type { Settings } from './settings.js';

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** A stream that text is printed to. */
export interface Output {
  isTTY?: boolean;
  /** Width of the terminal. */
  columns?: number;
  write(text: string): unknown;
}

/** Where the signals of the process are heard. */
export interface Signals {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
}

export interface Engine {
  calculateRollups(payload: unknown, options: RunOptions): Promise<Report>;
  validateDefinitions(definitions: unknown): Validation;
  computeTotals: Rollups['computeTotals'];
  missingFields(configuration: unknown, metadata: object): MissingFields;
  builtInDefinitions(): Definition[];
}

export type Variables = Record<string, string | undefined>;

/** What a process has, so that a test can hand in another. */
export interface Host {
  env: Variables;
  folder: string;
  stdout: Output;
  stderr: Output;
  fetch: Fetch;
  signals: Signals;
  sleep: (ms: number) => Promise<unknown>;
  now: () => number;
  /** Text that is piped in. */
  stdin: AsyncIterable<string | Uint8Array>;
  /** Asks the person at the terminal; absent where there is none. */
  ask?: Ask | undefined;
  engine: () => Promise<Engine>;
}

/** The options of the command line, by the names that commander gives them. */
export interface Flags {
  url?: string;
  token?: string;
  config?: string;
  requestsPerMinute?: string;
  json?: boolean;
  verbose?: boolean;
  offline?: boolean;
  timeLimit?: number;
  dryRun?: boolean;
  csv?: string;
  sample?: number;
  resume?: string;
  checkpoint?: string;
  once?: boolean;
  object?: string;
  all?: boolean;
  only?: string;
  ids?: string;
  yes?: boolean;
  apply?: boolean;
  force?: boolean;
  output?: string;
  recordTest?: string | true;
  out?: string;
  log?: string;
}

export interface Context {
  host: Host;
  screen: Screen;
  flags: Flags;
  settings: Settings;
  /** The host's, until the command is interrupted. */
  fetch: Fetch;
  /** Of all runs of this one command. */
  progress?: Progress;
  /** For all runs of this one command: the second is not to spend the budget that the first has spent. */
  store?: Store;
  /** Whether a checkpoint was written. */
  checkpointWritten?: boolean;
  /** What to say when the command is interrupted. */
  onInterrupt?: (checkpointWritten: boolean) => string;
}

export type Command = (context: Context, ...operands: string[]) => Promise<Outcome>;

