/* tslint:disable */
/* eslint-disable */

/**
 * A request whose head is here, and whose body may still be on its way
 */
export class Begun {
  private constructor();
  free(): void;
  [Symbol.dispose](): void;
  /**
   * Answers it, with `[status, headers, body]`: headers are names and values in turn, each ended by a line break.
   * `entropy` are 16 random bytes, that ids may be made of.
   */
  answer(body: Uint8Array | number[], entropy: Uint8Array | number[]): Promise<[number, string, Uint8Array]>;
  /**
   * Whose share of the process it takes: `caller`, `webhook` or `probe`
   */
  readonly class_name: string;
  /**
   * How long its body is to be, if it says so
   */
  readonly declared_bytes: number | undefined;
  /**
   * How much of its body to read; 0: none of it
   */
  readonly max_bytes: number;
}

export function __wbg_reset_state(): void;

/**
 * Begins a request with its head. `headers` are names and values in turn, each ended by a line break.
 *
 * # Errors
 *
 * There is no proxy of that number, or a header has no value.
 */
export function begin(proxy: number, method: string, target: string, headers: string): Begun;

/**
 * How much a server may take on at a time with the settings of this proxy, as a JSON object: `maxConnections`,
 * `maxRequests`, `maxBodyBytes`; null where they cannot be read, since nothing is taken on then
 *
 * # Errors
 *
 * There is no proxy of that number.
 */
export function limits(proxy: number): string;

/**
 * Opens a proxy with the settings of an environment, a JSON object of texts, and gives its number. It logs names that
 * look like settings and are none, and settings that cannot be read; a proxy with such answers 503 to all but `/health`.
 *
 * # Errors
 *
 * The environment is no JSON object.
 */
export function open(environment: string): number;

/**
 * What is wrong with the settings of an environment, a JSON object of texts: one line each, for a server that refuses
 * to start; nothing if they can be read
 *
 * # Errors
 *
 * The environment is no JSON object.
 */
export function setting_errors(environment: string): string;

/**
 * The environment names that a proxy reads, as a JSON list
 */
export function setting_names(): string;

export function start(): void;
