/* tslint:disable */
/* eslint-disable */

export function __wbg_reset_state(): void;

/**
 * Answers one request, with `[status, headers, body]`: headers are JSON text, a list of pairs. `entropy` are 16 random
 * bytes, that ids may be made of.
 *
 * # Errors
 *
 * There is no proxy of that number, or the headers are no JSON list of pairs.
 */
export function handle(proxy: number, method: string, target: string, headers: string, body: Uint8Array | number[], entropy: Uint8Array | number[]): Promise<[number, string, Uint8Array]>;

/**
 * What to do with a request by its head, as a JSON object: `class` (`caller`, `webhook` or `probe`), `maxBytes` to read of
 * its body (0: the body is not read) and the `declaredBytes` of it, or null
 *
 * # Errors
 *
 * There is no proxy of that number, or the headers are no JSON list of pairs.
 */
export function head(proxy: number, method: string, target: string, headers: string): string;

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
