// The proxy over one instance of its module, which the glue replaces after a fault.
//
// Every request that was under way in the old instance is answered with 500 and its own id; a caller who sends it again finds
// what was already done, since the ids of gifts are derived from their keys.

import { Admission, type BodyLimits, type RequestClass, type Ticket, TurnedAway } from './admission.js';
import type { BodySource, Environment, Header, Inbound, Outbound } from './index.js';

/** Gives the module's bytes, or the module compiled; called once, by the first request. */
export type LoadModule = () => BufferSource | WebAssembly.Module;

/** What the generated module of wasm-bindgen has to offer. */
export interface Glue {
  enterInstance(load: LoadModule): number;
  callInstance<T>(load: LoadModule, work: () => Promise<T>): Promise<T>;
  askInstance<T>(load: LoadModule, work: () => T): T;
  setting_names(): string;
  setting_errors(environment: string): string;
  open(environment: string): number;
  limits(proxy: number): string;
  judge(proxy: number, head: string): Uint32Array;
  answer(proxy: number, head: string, body: Uint8Array, entropy: Uint8Array): Promise<[status: number, headers: string, body: Uint8Array]>;
}

/** Classes of requests in the order in which the module counts them. */
const CLASSES: RequestClass[] = ['caller', 'webhook', 'probe'];
/** The declared length of a body that does not declare it. */
const UNDECLARED = 0xffff_ffff;

/** The headers that the module reads; no others cross to it. */
export const READ_HEADERS = [
  'authorization',
  'content-length',
  'content-type',
  'idempotency-key',
  'stripe-signature',
  'webhook-signature',
  'x-request-id',
];

/** The proxy of one environment, in the instance that is in use. */
interface Proxy {
  number: number;
  admission: Admission;
}

interface Limits {
  maxRequests: number;
  maxBodyBytes: number;
  maxConnections: number;
}

/** The proxy's functions, each with the environment that it works with. */
export interface Functions {
  answer(request: Inbound, environment: Environment): Promise<Outbound>;
  fetch(request: Request, environment: Environment): Promise<Response>;
  settingNames(): string[];
  settingErrors(environment: Environment): string;
  maxConnections(environment: Environment): number;
}

/** At most one line about refused requests in this time: a flood must not become a flood of lines. */
const LOG_INTERVAL_MS = 10_000;

/** Random bytes are drawn for many requests at a time: a call of the runtime costs more than the bytes. */
const ENTROPY_POOL_BYTES = 4_096;
const ENTROPY_BYTES = 16;
const pool = new Uint8Array(ENTROPY_POOL_BYTES);
let drawn = ENTROPY_POOL_BYTES;

/** The random bytes that ids are made of. */
function entropy(): Uint8Array {
  if (drawn === ENTROPY_POOL_BYTES) {
    crypto.getRandomValues(pool);
    drawn = 0;
  }
  drawn += ENTROPY_BYTES;
  return pool.subarray(drawn - ENTROPY_BYTES, drawn);
}

/** Names that can be meant for the proxy, or for the engine, and for nothing else. */
const OURS = /^(FUNDRAISING|ROLLUP_ENGINE)_/i;

/** A setting as text: bindings of workerd may also be numbers, flags and JSON. */
const textOf = (name: string, value: unknown) =>
  name === 'FUNDRAISING_MODEL' && typeof value === 'object' ? JSON.stringify(value) : String(value);

const WITHOUT_BODY = new Set([101, 204, 205, 304]);

/** @param glue the generated module of wasm-bindgen */
export function connect(glue: Glue, load: LoadModule): Functions {
  /** The instance that the numbers below belong to. */
  let instance: number | undefined;
  // Numbers of the proxies in that instance, by their environment as an object and as text.
  let byObject = new WeakMap<Environment, Proxy>();
  let byText = new Map<string, number>();
  // The admission of each environment, by its text; it outlives the instance, as the requests do.
  const admissions = new Map<string, Admission>();
  let names: string[] = [];
  // When it was last logged that requests are turned away, and how many were since.
  const turnedAway = { loggedAt: -Infinity, count: 0 };

  const enter = () => {
    const current = glue.enterInstance(load);
    if (current === instance) return;
    instance = current;
    [byObject, byText] = [new WeakMap(), new Map()];
    names = JSON.parse(glue.setting_names());
  };

  /** What the module reads of an environment, as JSON text; of names that it does not know the names alone. */
  const settingsOf = (environment: Environment) => {
    const read = names
      .filter((name) => environment[name] !== undefined && environment[name] !== null)
      .map((name) => [name, textOf(name, environment[name])]);
    const others = Object.keys(environment).filter((name) => OURS.test(name) && !names.includes(name));
    return JSON.stringify(Object.fromEntries([...read, ...others.map((name) => [name, ''])]));
  };

  const limitsOf = (proxy: number): Limits => JSON.parse(glue.limits(proxy));

  const proxyFor = (environment: Environment): Proxy => {
    enter();
    const known = byObject.get(environment);
    if (known !== undefined) return known;
    const text = settingsOf(environment);
    const number = byText.get(text) ?? glue.open(text);
    byText.set(text, number);
    const admission = admissions.get(text) ?? new Admission(limitsOf(number));
    admissions.set(text, admission);
    const proxy = { number, admission };
    byObject.set(environment, proxy);
    return proxy;
  };

  const logTurnedAway = ({ status, message }: TurnedAway, requestId: string) => {
    turnedAway.count += 1;
    if (performance.now() - turnedAway.loggedAt < LOG_INTERVAL_MS) return;
    const timestamp = new Date().toISOString();
    const line = { timestamp, level: 'warn', event: 'requests_turned_away', requestId, status, message, count: turnedAway.count };
    console.warn(JSON.stringify(line));
    Object.assign(turnedAway, { loggedAt: performance.now(), count: 0 });
  };

  /** Answers one request in the form in which servers have it. Of the body so much is read as the head is good for. */
  async function answer({ method, target, headers, body }: Inbound, environment: Environment): Promise<Outbound> {
    const read = readHeaders(headers);
    const asked = read.find(([name, value]) => name === 'x-request-id' && value.trim() !== '');
    const id = asked ? asked[1].trim() : crypto.randomUUID();
    if (!asked) read.push(['x-request-id', id]);
    let head = headText(method, target, read);
    let ticket: Ticket | undefined;
    try {
      const [ofClass = 0, maxBytes = 0, declared] = glue.askInstance(load, () => glue.judge(proxyFor(environment).number, head));
      const taken = (ticket = proxyFor(environment).admission.enter(CLASSES[ofClass] ?? 'caller'));
      let bytes: Uint8Array | undefined = NO_BYTES;
      if (maxBytes > 0 && body) bytes = await readBody(taken, body, { maxBytes, declaredBytes: declared === UNDECLARED ? undefined : declared });
      if (!bytes) {
        // The module is told the length alone, and refuses it.
        const others = read.filter(([name]) => name !== 'content-length');
        head = headText(method, target, [...others, ['content-length', String(maxBytes + 1)]]);
      }
      const [status, headerLines, replyBody] = await glue.callInstance(load, () => {
        // The instance may have been replaced while the body was read.
        const answered = glue.answer(proxyFor(environment).number, head, bytes ?? NO_BYTES, entropy());
        taken.drop();
        return answered;
      });
      return { status, headers: parseHeaders(headerLines), body: isWithoutBody(method, status) ? null : replyBody };
    } catch (error) {
      if (error instanceof SenderGone) throw error.cause;
      if (!(error instanceof TurnedAway)) return internalError(error, id);
      logTurnedAway(error, id);
      const { status, message, retryAfterSeconds } = error;
      const more: Header[] = retryAfterSeconds ? [['retry-after', String(retryAfterSeconds)]] : [];
      return { ...jsonAnswer(status, { statusCode: status, message }, id, more), close: true };
    } finally {
      ticket?.leave();
    }
  }

  /** Answers a request of the fetch standard. */
  async function fetch(request: Request, environment: Environment): Promise<Response> {
    const headers: Header[] = [];
    for (const name of READ_HEADERS) {
      const value = request.headers.get(name);
      if (value !== null) headers.push([name, value]);
    }
    const body = request.body ? bodyOf(request) : null;
    const { status, headers: named, body: sent } = await answer({ method: request.method, target: originForm(request.url), headers, body }, environment);
    return new Response(sent as BodyInit | null, { status, headers: named });
  }

  const settingNames = () => {
    enter();
    return names;
  };

  const settingErrors = (environment: Environment) => {
    enter();
    return glue.setting_errors(settingsOf(environment));
  };

  const maxConnections = (environment: Environment) => limitsOf(proxyFor(environment).number).maxConnections;

  return { answer, fetch, settingNames, settingErrors, maxConnections };
}

/** Of headers those that the module reads, by their names in lower case. */
function readHeaders(headers: Header[]): Header[] {
  const read: Header[] = [];
  for (const [name, value] of headers) {
    const own = name.toLowerCase();
    if (READ_HEADERS.includes(own)) read.push([own, value]);
  }
  return read;
}

/** A head crosses the boundary as one text: method, target, names and values on a line each, which none of them can hold. */
function headText(method: string, target: string, headers: Header[]): string {
  let lines = `${method}\n${target}`;
  for (const [name, value] of headers) lines += `\n${name}\n${value}`;
  return lines;
}

function parseHeaders(lines: string): Header[] {
  const parts = lines.split('\n');
  const pairs: Header[] = [];
  for (let at = 0; at + 1 < parts.length; at += 2) pairs.push([parts[at] ?? '', parts[at + 1] ?? '']);
  return pairs;
}

const NO_BYTES = new Uint8Array();

/** The sender's connection broke while its body was read: no answer can reach it. */
class SenderGone extends Error {}

/** The bytes of a body; nothing if it is too long. */
async function readBody(ticket: Ticket, body: NonNullable<Inbound['body']>, limits: BodyLimits): Promise<Uint8Array | undefined> {
  try {
    return await ticket.read(body, limits);
  } catch (error) {
    throw error instanceof TurnedAway ? error : new SenderGone('', { cause: error });
  }
}

/** Bodies that are declared to be no longer are asked for as a whole: reading a stream piece by piece takes longer. */
const SHORT_BODY_BYTES = 16 * 1024;

const bodyOf = (request: Request): BodySource => (sink, declaredBytes) => {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  let isStopped = false;
  const deliver = async () => {
    if (declaredBytes !== undefined && declaredBytes <= SHORT_BODY_BYTES) sink.take(new Uint8Array(await request.arrayBuffer()));
    else {
      reader = request.body!.getReader();
      while (!isStopped) {
        const { done, value } = await reader.read();
        if (done) break;
        sink.take(value);
      }
    }
    sink.end();
  };
  deliver().catch(sink.fail);
  return () => {
    isStopped = true;
  };
};

const isWithoutBody = (method: string, status: number) => method === 'HEAD' || WITHOUT_BODY.has(status);

function internalError(error: unknown, requestId: string): Outbound {
  const timestamp = new Date().toISOString();
  const reason = (error as Error | undefined)?.message ?? error;
  const message = `the proxy stopped on a fault of its own, and starts afresh with the next request: ${reason}`;
  console.error(JSON.stringify({ timestamp, level: 'error', event: 'request_broken', requestId, message }));
  return jsonAnswer(500, { message: 'Internal server error', error: 'Internal Server Error', statusCode: 500, requestId }, requestId);
}

/** An answer that does not come from the module. */
function jsonAnswer(status: number, body: object, requestId: string, more: Header[] = []): Outbound {
  return {
    status,
    headers: [
      ['content-type', 'application/json; charset=utf-8'],
      ['cache-control', 'no-store'],
      ['x-request-id', requestId.replace(/[^\x21-\x7e]/g, '')],
      ...more,
    ],
    body: new TextEncoder().encode(JSON.stringify(body)),
  };
}

/** Path and query as they were sent. A parsed URL has its dots resolved: `/gifts/.` would be the list of all gifts. */
function originForm(url: string): string {
  const target = /^[^/]*\/\/[^/?#]*([^#]*)/.exec(url)?.[1] ?? '';
  return target.startsWith('/') ? target : `/${target}`;
}
