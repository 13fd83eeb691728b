// The types of the proxy. Every entry exports the same.

/** The settings, by name; an object with these, such as `process.env`, may hold any others. docs/PROXY.md explains them. */
export type Environment = Record<string, unknown>;

export type Header = [name: string, value: string];

/** One request in the form in which servers have it. */
export interface Inbound {
  method: string;
  /** Path and query, as in the request line. */
  target: string;
  headers: Header[];
  /** Of a stream so much is read as the head is good for. */
  body: AsyncIterable<Uint8Array> | Uint8Array | BodySource | null;
}

/** Begins to deliver a body, which may declare its length, piece by piece; gives what stops it. */
export type BodySource = (sink: BodySink, declaredBytes: number | undefined) => () => void;

/** Where a body is delivered to. */
export interface BodySink {
  take(chunk: Uint8Array): void;
  end(): void;
  fail(error: unknown): void;
}

/** The answer to it. */
export interface Outbound {
  status: number;
  headers: Header[];
  body: Uint8Array | null;
  /** The connection should not be used again: the body was not read to its end. */
  close?: boolean;
}

/** On workerd what the worker is handed, so that the work outlives a caller who hangs up. */
export interface ExecutionContext {
  waitUntil(promise: Promise<unknown>): void;
}
