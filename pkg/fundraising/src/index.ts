/** The settings, by name; an object with these, such as `process.env`, may hold any others. docs/PROXY.md explains them. */
export type Environment = Record<string, unknown>;

/** One request in the form in which servers have it. */
export interface Inbound {
  method: string;
  /** Path and query, as in the request line. */
  target: string;
  headers: [name: string, value: string][];
  /** Of a stream so much is read as the head is good for. */
  body: AsyncIterable<Uint8Array> | Uint8Array | null;
}

/** The answer to it. */
export interface Outbound {
  status: number;
  headers: [name: string, value: string][];
  body: Uint8Array | null;
  /** The connection should not be used again: the body was not read to its end. */
  close?: boolean;
}

/**
 * Answers a request of the fetch standard.
 *
 * @param env the settings; the process's own where it is left out, the worker's bindings on workerd
 * @param context on workerd what the worker is handed, so that the work outlives a caller who hangs up
 */
export declare function fetch(
  request: Request,
  env?: Environment,
  context?: { waitUntil(promise: Promise<unknown>): void },
): Promise<Response>;

/** Answers a request without the fetch standard's objects; not on workerd. */
export declare function answer(request: Inbound, env?: Environment): Promise<Outbound>;

/** The names of all settings. */
export declare function settingNames(): string[];

/** What is wrong with the settings, one line each, without the values of secrets; an empty text if they can be read. */
export declare function settingErrors(env?: Environment): string;

declare const handler: { fetch: typeof fetch };
export default handler;
