// How a command can end, as a script sees it. The numbers are part of the package's interface: see its README.

import type { Report, Skipped } from '../index.js';

export const EXIT = {
  /** Everything is right, or was put right. */
  ok: 0,
  /** Something is not right: wrong definitions, drift, parents that could not be written, a run that did not finish. */
  wrong: 1,
  /** The command line, the environment or a file that it names is not as it should be. */
  usage: 2,
  /** The workspace cannot be reached, refuses the token, or does not answer as Twenty does. */
  workspace: 3,
  /** A fault of this program. */
  fault: 4,
  /** A comparison that found nothing wrong and did not see everything: whether the totals are right is not known. */
  unknown: 5,
  /** Ctrl-C; 128 and the number of the signal, as shells have it. */
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What a command comes to: its exit code, and what the document of `--json` says besides. */
export interface Outcome {
  exit: ExitCode;
  document: Record<string, unknown>;
}

const EXIT_OF_CODE = new Map<string, ExitCode>([
  ...['missing_url', 'invalid_url', 'missing_token', 'invalid_token', 'invalid_rate', 'invalid_size'].map((code) => [code, EXIT.usage] as const),
  ...['unreachable', 'unauthorized', 'forbidden', 'not_found', 'server_error', 'malformed_answer', 'answer_too_large'].map(
    (code) => [code, EXIT.workspace] as const,
  ),
  ...['engine_trap', 'unknown_payload', 'invalid_options'].map((code) => [code, EXIT.fault] as const),
]);

/** The exit code that a report of the engine stands for. */
export const exitOf = ({ status, code }: Pick<Report, 'status' | 'code'>): ExitCode =>
  status === 'ok' || status === 'noop' ? EXIT.ok : (EXIT_OF_CODE.get(code ?? '') ?? EXIT.wrong);

/** What of a report says whether a comparison saw everything. */
type Completeness = Pick<Report, 'status' | 'code' | 'message'> & { skipped?: Skipped[] };

/**
 * Why a comparison cannot say that every total is right: parents or definitions that it did not compare. Of the built-in
 * definitions a workspace need not have all.
 *
 * @returns none, if it saw everything
 */
export function incompleteReasons({ status, code, message, skipped = [] }: Completeness, config: unknown): string[] {
  const reasons = [];
  if (status !== 'ok') reasons.push(message ?? (code ? `the run ended with ${code}` : 'not all parents could be compared'));
  const left = skipped.filter((entry) => config !== undefined || (entry.code ?? NOT_IN_WORKSPACE) !== NOT_IN_WORKSPACE);
  if (left.length > 0) reasons.push(left.length === 1 ? 'a definition was left out' : `${left.length} definitions or totals were left out`);
  return reasons;
}

/** The code of a definition that names what the workspace does not have. */
const NOT_IN_WORKSPACE = 'not_in_workspace';

/** What to do about a report's error, by its code. */
export const HINTS = {
  forbidden: 'The role of the API key lacks a right: see the runbook, section “Rights”.',
  unauthorized: 'The token may have expired, have been revoked, or belong to another workspace.',
  nothing_to_run: 'twenty-rollups validate lists what does not fit.',
  answer_too_large: 'Ask for fewer records at once (pacing.pageSize in the configuration), or raise ROLLUP_ENGINE_MAX_RESPONSE_BYTES.',
};

/** The error that ends a command, in words for the person who called it. */
export class CliError extends Error {
  readonly exit: ExitCode;
  /** Its stable name, for programs. */
  readonly code: string;
  /** What to do about it. */
  readonly hint: string | undefined;
  /** The report of the run that failed, if there is one. */
  report?: Report;

  constructor(exit: ExitCode, code: string, message: string, hint?: string) {
    super(message);
    this.exit = exit;
    this.code = code;
    this.hint = hint;
  }
}

export const usage = (code: string, message: string, hint?: string): CliError => new CliError(EXIT.usage, code, message, hint);

/** The message of whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The code of a system error, such as `ENOENT`. */
export const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | undefined)?.code;
