/* tslint:disable */
/* eslint-disable */

export function __wbg_reset_state(): void;

/**
 * Answers a request, with `[status, headers, body]`: headers are names and values in turn, each ended by a line break.
 * `head` is as [`judge`] takes it; `entropy` are 16 random bytes, that ids may be made of.
 *
 * # Errors
 *
 * As [`judge`].
 */
export function answer(proxy: number, head: string, body: Uint8Array | number[], entropy: Uint8Array | number[]): Promise<[number, string, Uint8Array]>;

/**
 * What a server is to do with a request by its head, as `[class, maxBytes, declaredBytes]`: whose share of the process it
 * takes (0: a caller's, 1: a payment provider's, 2: none, as a probe's), how much of its body to read, and how long the body is to be,
 * the largest number if it does not say so.
 *
 * `head` has the method, the target, and names and values of headers in turn, each on a line of its own.
 *
 * # Errors
 *
 * There is no proxy of that number, or a header has no value.
 */
export function judge(proxy: number, head: string): Uint32Array;

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
