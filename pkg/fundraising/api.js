// The proxy over one instance of its module, which the glue replaces after a fault.
//
// Every request that was under way in the old instance is answered with 500 and its own id; whoever sends it again finds
// what was already done, since the ids of gifts are derived from their keys.

import { Admission, TurnedAway } from './admission.js';

/** What ids are made of. */
const entropy = () => crypto.getRandomValues(new Uint8Array(16));

/** Names that can be meant for the proxy, or for the engine, and for nothing else. */
const OURS = /^(FUNDRAISING|ROLLUP_ENGINE)_/i;

/** A setting as text: bindings of workerd may also be numbers, flags and JSON. */
const textOf = (name, value) => (name === 'FUNDRAISING_MODEL' && typeof value === 'object' ? JSON.stringify(value) : String(value));

const WITHOUT_BODY = new Set([101, 204, 205, 304]);

/**
 * @param glue the generated module of wasm-bindgen
 * @param load gives the module's bytes, or the module compiled; called once, by the first request
 */
export function connect(glue, load) {
  /** The instance that the numbers below belong to. */
  let instance;
  // Numbers of the proxies in that instance, by their environment as an object and as text.
  let byObject = new WeakMap();
  let byText = new Map();
  // What is taken on with each environment, by its text; it outlives the instance, as the requests do.
  const admissions = new Map();
  let names;
  // When it was last said that requests are turned away, and how many were since.
  const turned = { saidAt: -Infinity, count: 0 };

  const enter = () => {
    const living = glue.enterInstance(load);
    if (living === instance) return;
    instance = living;
    [byObject, byText] = [new WeakMap(), new Map()];
    names = JSON.parse(glue.setting_names());
  };

  /** What the module reads of an environment, as JSON text; of names that it does not know the names alone. */
  const settingsOf = (environment) => {
    const read = names
      .filter((name) => environment[name] !== undefined && environment[name] !== null)
      .map((name) => [name, textOf(name, environment[name])]);
    const others = Object.keys(environment).filter((name) => OURS.test(name) && !names.includes(name));
    return JSON.stringify(Object.fromEntries([...read, ...others.map((name) => [name, ''])]));
  };

  const proxyFor = (environment) => {
    enter();
    const known = byObject.get(environment);
    if (known !== undefined) return known;
    const text = settingsOf(environment);
    if (!byText.has(text)) byText.set(text, glue.open(text));
    const number = byText.get(text);
    if (!admissions.has(text)) admissions.set(text, new Admission(JSON.parse(glue.limits(number))));
    const proxy = { number, admission: admissions.get(text) };
    byObject.set(environment, proxy);
    return proxy;
  };

  /** At most one line in ten seconds: a flood must not become a flood of lines. */
  const sayTurned = ({ status, message }, requestId) => {
    turned.count += 1;
    if (performance.now() - turned.saidAt < 10_000) return;
    const timestamp = new Date().toISOString();
    const line = { timestamp, level: 'warn', event: 'requests_turned_away', requestId, status, message, count: turned.count };
    console.warn(JSON.stringify(line));
    Object.assign(turned, { saidAt: performance.now(), count: 0 });
  };

  /**
   * Answers one request in the form in which servers have it. Of the body so much is read as the head is good for.
   *
   * @param {{ method: string, target: string, headers: [string, string][], body: AsyncIterable<Uint8Array> | Uint8Array | null }} request
   * @param {object} environment the settings
   * @returns {Promise<{ status: number, headers: [string, string][], body: Uint8Array | null, close?: boolean }>}
   *   with `close` if the connection should not be used again
   */
  async function answer({ method, target, headers, body }, environment) {
    const asked = headers.find(([name, value]) => name.toLowerCase() === 'x-request-id' && value.trim() !== '');
    const id = asked ? asked[1].trim() : crypto.randomUUID();
    let named = asked ? headers : [...headers, ['x-request-id', id]];
    let ticket;
    try {
      const { head, admission } = glue.askInstance(load, () => {
        const { number, admission } = proxyFor(environment);
        return { head: JSON.parse(glue.head(number, method, target, JSON.stringify(named))), admission };
      });
      ticket = admission.enter(head.class);
      let bytes = head.maxBytes > 0 && body ? await reading(ticket, body, head) : NO_BYTES;
      if (!bytes) {
        // The module is told the length alone, and refuses it.
        named = [...named.filter(([name]) => name.toLowerCase() !== 'content-length'), ['content-length', String(head.maxBytes + 1)]];
        bytes = NO_BYTES;
      }
      const [status, sent, replied] = await glue.callInstance(load, () => {
        const { number } = proxyFor(environment);
        const answered = glue.handle(number, method, target, JSON.stringify(named), bytes, entropy());
        ticket.drop();
        return answered;
      });
      return { status, headers: JSON.parse(sent), body: bodiless(method, status) ? null : replied };
    } catch (error) {
      if (error instanceof SenderGone) throw error.cause;
      if (!(error instanceof TurnedAway)) return broken(error, id);
      sayTurned(error, id);
      const { status, message, retryAfterSeconds } = error;
      const more = retryAfterSeconds ? [['retry-after', String(retryAfterSeconds)]] : [];
      return { ...plain(status, { statusCode: status, message }, id, more), close: true };
    } finally {
      ticket?.leave();
    }
  }

  /** Answers a request of the fetch standard. */
  async function fetch(request, environment) {
    const target = targetOf(request.url);
    const asked = { method: request.method, target, headers: [...request.headers], body: request.body };
    const { status, headers, body: sent } = await answer(asked, environment);
    return new Response(sent, { status, headers });
  }

  const settingNames = () => {
    enter();
    return names;
  };

  /** What is wrong with the settings, one line each; an empty text if they can be read. */
  const settingErrors = (environment) => {
    enter();
    return glue.setting_errors(settingsOf(environment));
  };

  /** How many connections a server should take at a time. */
  const maxConnections = (environment) => {
    return JSON.parse(glue.limits(proxyFor(environment).number)).maxConnections;
  };

  return { answer, fetch, settingNames, settingErrors, maxConnections };
}

const NO_BYTES = new Uint8Array();

/** The sender's connection broke while its body was read: no answer can reach it. */
class SenderGone extends Error {}

/** The bytes of a body; nothing if it is too long. */
async function reading(ticket, body, head) {
  const chunks = body instanceof Uint8Array ? (async function* () { yield body; })() : body;
  try {
    return await ticket.read(chunks, head);
  } catch (error) {
    throw error instanceof TurnedAway ? error : new SenderGone('', { cause: error });
  }
}

const bodiless = (method, status) => method === 'HEAD' || WITHOUT_BODY.has(status);

function broken(error, requestId) {
  const timestamp = new Date().toISOString();
  const message = `the proxy stopped on a fault of its own, and starts afresh with the next request: ${error?.message ?? error}`;
  console.error(JSON.stringify({ timestamp, level: 'error', event: 'request_broken', requestId, message }));
  return plain(500, { message: 'Internal server error', error: 'Internal Server Error', statusCode: 500, requestId }, requestId);
}

/** An answer that does not come from the module. */
function plain(status, body, requestId, more = []) {
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

/**
 * Path and query as they were sent. A parsed URL has its dots resolved: `/gifts/.` would be the list of all gifts.
 */
function targetOf(url) {
  const [, target] = /^[^/]*\/\/[^/?#]*([^#]*)/.exec(url);
  return target.startsWith('/') ? target : `/${target}`;
}
