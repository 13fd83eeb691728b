// What a command is handed.

import type { Fetch, Output } from '../../rollups/cli/context.js';
import type { ExitCode } from '../../rollups/cli/outcome.js';
import type { Screen } from '../../rollups/cli/screen.js';
import type { Environment, Inbound, Outbound } from '../index.js';

/** The proxy's module, as the entry for Node offers it. */
export interface Proxy {
  answer(request: Inbound, env: Environment): Promise<Outbound>;
  settingErrors(env: Environment): string;
  settingNames(): string[];
}

/** What a process has, so that a test can hand in another. */
export interface Host {
  env: Record<string, string | undefined>;
  stdout: Output;
  stderr: Output;
  fetch: Fetch;
  proxy: () => Promise<Proxy>;
}

/** The options of the command line, by the names that commander gives them. */
export interface Flags {
  url?: string;
  token?: string;
  json?: boolean;
  port?: string;
  host?: string;
  processEvery?: string;
  to?: string;
  secret?: string;
  live?: boolean;
  amount?: number;
  currency?: string;
  email?: string;
  payment?: string;
}

export interface Context {
  host: Host;
  screen: Screen;
  flags: Flags;
  /** The settings: the environment, with what the options say in its place. */
  env: Record<string, string | undefined>;
}

/** What a command comes to: its exit code, and what the document of `--json` says besides. */
export interface Outcome {
  exit: ExitCode;
  document: Record<string, unknown>;
  /** The process goes on by itself. */
  isServing?: boolean;
}

export type Command = (context: Context, ...operands: string[]) => Promise<Outcome>;
