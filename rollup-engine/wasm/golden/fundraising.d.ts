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
