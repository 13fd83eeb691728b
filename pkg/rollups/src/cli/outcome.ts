// How a command can end, as a script sees it. The numbers are part of the package's interface: see its README.

export const EXIT = {
  /** Everything is right, or was put right. */
  right: 0,
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
};

const OF_CODE = new Map([
  ...['missing_url', 'invalid_url', 'missing_token', 'invalid_token', 'invalid_rate', 'invalid_size'].map((code) => [code, EXIT.usage]),
  ...['unreachable', 'unauthorized', 'forbidden', 'not_found', 'server_error', 'malformed_answer', 'answer_too_large'].map((code) => [
    code,
    EXIT.workspace,
  ]),
  ...['engine_trap', 'unknown_payload', 'invalid_options'].map((code) => [code, EXIT.fault]),
]);

/** The exit code that a report of the engine stands for. */
export const exitOf = ({ status, code }) =>
  status === 'ok' || status === 'noop' ? EXIT.right : (OF_CODE.get(code) ?? EXIT.wrong);

/**
 * Why a comparison cannot say that every total is right: parents or definitions that it did not compare. Of the built-in
 * definitions a workspace need not have all.
 *
 * @returns {string[]} none, if it saw everything
 */
export function unseen({ status, code, message, skipped = [] }, config) {
  const reasons = [];
  if (status !== 'ok') reasons.push(message ?? (code ? `the run ended with ${code}` : 'not all parents could be compared'));
  const left = skipped.filter((entry) => config !== undefined || (entry.code ?? ABSENT) !== ABSENT);
  if (left.length > 0) reasons.push(left.length === 1 ? 'a definition was left out' : `${left.length} definitions or totals were left out`);
  return reasons;
}

/** The workspace does not have what is named. */
const ABSENT = 'not_in_workspace';

/** What to do about a report's error, by its code. */
export const HINTS = {
  forbidden: 'The role of the API key lacks a right: see the runbook, section “Rights”.',
  unauthorized: 'The token may have expired, have been revoked, or belong to another workspace.',
  nothing_to_run: 'twenty-rollups validate lists what does not fit.',
  answer_too_large: 'Ask for fewer records at once (pacing.pageSize in the configuration), or raise ROLLUP_ENGINE_MAX_RESPONSE_BYTES.',
};

/** A reason to end, already in the words for whoever called. */
export class Ending extends Error {
  /**
   * @param {number} exit one of {@link EXIT}
   * @param {string} code its stable name, for programs
   * @param {string} message what is wrong
   * @param {string} [hint] what to do about it
   */
  constructor(exit, code, message, hint) {
    super(message);
    Object.assign(this, { exit, code, hint });
  }
}

export const usage = (code, message, hint) => new Ending(EXIT.usage, code, message, hint);
