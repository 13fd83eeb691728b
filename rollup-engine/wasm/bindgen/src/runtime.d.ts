
/** What gives the module's bytes, or the module compiled; called once, by the first call. */
export type LoadModule = () => BufferSource | WebAssembly.Module;

/** An answer: its headers are names, in any case, and values in turn. */
export interface Answer {
  status: number;
  headers: string[];
  body: Uint8Array;
}

/** Sends one request, and gives its whole answer, or null for one that is larger than `maxBytes`. */
export type Exchange = (
  method: string,
  url: string,
  headers: string[],
  body: Uint8Array | undefined,
  timeoutMillis: number,
  maxBytes: number,
) => Promise<Answer | null>;

/** Sees that there is a living instance, and gives its number. */
export function enterInstance(load: LoadModule): number;

/** Calls a function on the module that gives a promise; a fault of the instance rejects it, wherever it happens. */
export function callInstance<T>(load: LoadModule, work: () => Promise<T>): Promise<T>;

/** Calls a function on the module that gives its result at once. */
export function askInstance<T>(load: LoadModule, work: () => T): T;

/** Sends requests in another way than by the runtime's `fetch`. */
export function setExchange(exchange: Exchange): void;
