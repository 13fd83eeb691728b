// The proxy over one instance of its module, and the replacing of that instance when it breaks.
//
// A bug of the module ends as an exception out of WebAssembly, and leaves the instance's memory in an unknown state. So
// the instance is replaced at once: `__wbg_reset_state` of the glue puts a fresh instance of the same compiled module in
// its place. Every request that was under way in the old one is answered with 500 and its own id; whoever sends it again
// finds what was already done, since the ids of gifts are derived from their keys.

/** What is read of a body; more than any route takes, so that the module is the one to refuse it. */
const MOST_BYTES = 1024 * 1024;

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
  // The living instance's number; 0 while there is none.
  let living = 0;
  // How to end each request that is under way in the living instance.
  let underWay = new Set();
  // Numbers of the proxies in the living instance, by their environment as an object and as text.
  let byObject = new WeakMap();
  let byText = new Map();
  let names;

  const enter = () => {
    if (living > 0) return;
    glue.initSync({ module: load() });
    living = 1;
    names = JSON.parse(glue.setting_names());
  };

  const replace = (instance, error) => {
    // Of several requests that one fault ends, the first has replaced the instance already.
    if (instance !== living) return;
    glue.__wbg_reset_state();
    living += 1;
    const ended = underWay;
    [underWay, byObject, byText] = [new Set(), new WeakMap(), new Map()];
    for (const end of ended) end(error);
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
    const known = byObject.get(environment);
    if (known !== undefined) return known;
    const text = settingsOf(environment);
    if (!byText.has(text)) byText.set(text, glue.open(text));
    byObject.set(environment, byText.get(text));
    return byText.get(text);
  };

  const run = async (environment, method, target, headers, body) => {
    enter();
    const instance = living;
    let end;
    const ended = new Promise((_, reject) => (end = reject));
    underWay.add(end);
    try {
      const proxy = proxyFor(environment);
      return await Promise.race([glue.handle(proxy, method, target, JSON.stringify(headers), body, entropy()), ended]);
    } catch (error) {
      replace(instance, error);
      throw error;
    } finally {
      underWay.delete(end);
    }
  };

  /**
   * Answers one request in the form in which servers have it.
   *
   * @param {{ method: string, target: string, headers: [string, string][], body: Uint8Array }} request
   * @param {object} environment the settings
   * @returns {Promise<{ status: number, headers: [string, string][], body: Uint8Array | null }>}
   */
  async function answer({ method, target, headers, body }, environment) {
    const asked = headers.find(([name, value]) => name.toLowerCase() === 'x-request-id' && value.trim() !== '');
    const id = asked ? asked[1].trim() : crypto.randomUUID();
    const named = asked ? headers : [...headers, ['x-request-id', id]];
    try {
      const [status, sent, bytes] = await run(environment, method, target, named, body);
      return { status, headers: JSON.parse(sent), body: bodiless(method, status) ? null : bytes };
    } catch (error) {
      return broken(error, id);
    }
  }

  /** Answers a request of the fetch standard. */
  async function fetch(request, environment) {
    const { pathname, search } = new URL(request.url);
    const body = await bytesOf(request.body);
    const asked = { method: request.method, target: pathname + search, headers: [...request.headers], body };
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

  return { answer, fetch, settingNames, settingErrors };
}

const bodiless = (method, status) => method === 'HEAD' || WITHOUT_BODY.has(status);

function broken(error, requestId) {
  const timestamp = new Date().toISOString();
  const message = `the proxy stopped on a fault of its own, and starts afresh with the next request: ${error?.message ?? error}`;
  console.error(JSON.stringify({ timestamp, level: 'error', event: 'request_broken', requestId, message }));
  const body = { message: 'Internal server error', error: 'Internal Server Error', statusCode: 500, requestId };
  return {
    status: 500,
    headers: [
      ['content-type', 'application/json; charset=utf-8'],
      ['cache-control', 'no-store'],
      ['x-request-id', requestId.replace(/[^\x21-\x7e]/g, '')],
    ],
    body: new TextEncoder().encode(JSON.stringify(body)),
  };
}

/**
 * The bytes of a body, given up past the limit.
 *
 * @param {AsyncIterable<Uint8Array> | null} chunks
 */
export async function bytesOf(chunks) {
  if (!chunks) return new Uint8Array();
  const parts = [];
  let length = 0;
  for await (const part of chunks) {
    parts.push(part);
    length += part.length;
    if (length > MOST_BYTES) break;
  }
  if (parts.length === 1) return parts[0];
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
