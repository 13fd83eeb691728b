
// ── The life of the module's instance, and its way to the network ─────────────────────────────────────────────────────
//
// wasm-glue puts this at the end of the glue, whose own names it uses: `wasm`, `initSync`, `__wbg_instance_id` and
// `__wbg_reset_state`. It is one file with the glue since the Twenty app is a single file.
//
// A bug of the module ends as an exception out of WebAssembly, and leaves the instance's memory in an unknown state. So
// every call that is under way in the instance is rejected, and the next call gets a fresh instance of the same compiled
// module, in every runtime, also where compiling is forbidden. A mistake of the caller is an Error with a `code`, and
// breaks nothing.

/** How to reject each call that is under way in the living instance. */
let callsUnderWay = new Set();
/** Whether the next call needs a fresh instance: at first, and after a fault. */
let needsInstance = true;

/** Sees that there is a living instance, and gives its number; `load` gives the module's bytes, or the module compiled. */
export function enterInstance(load) {
  if (needsInstance) {
    if (wasm === undefined) initSync({ module: load() });
    else __wbg_reset_state();
    needsInstance = false;
  }
  return __wbg_instance_id;
}

/** Ends an instance after a fault. Of several faults of one instance the first has ended it. */
function endInstance(instance, error) {
  if (instance !== __wbg_instance_id) return;
  // From now on the glue refuses the callbacks of this one.
  __wbg_instance_id += 1;
  needsInstance = true;
  const ended = callsUnderWay;
  callsUnderWay = new Set();
  for (const reject of ended) reject(error);
}

const isMistake = (error) => error instanceof Error && typeof error.code === 'string';

/** Calls a function on the module that gives a promise; a fault of the instance rejects it, wherever it happens. */
export function callInstance(load, work) {
  return new Promise((resolve, reject) => {
    const instance = enterInstance(load);
    const calls = callsUnderWay;
    calls.add(reject);
    const failed = (error) => {
      calls.delete(reject);
      if (!isMistake(error)) endInstance(instance, error);
      reject(error);
    };
    const done = (value) => {
      calls.delete(reject);
      resolve(value);
    };
    try {
      work().then(done, failed);
    } catch (error) {
      failed(error);
    }
  });
}

/** Calls a function on the module that gives its result at once. */
export function askInstance(load, work) {
  const instance = enterInstance(load);
  try {
    return work();
  } catch (error) {
    if (!isMistake(error)) endInstance(instance, error);
    throw error;
  }
}

/** The callback, of which a throw ends its instance: uncaught it would end a Node process. */
const guarded = (callback) => {
  const instance = __wbg_instance_id;
  return (...args) => {
    try {
      callback(...args);
    } catch (error) {
      endInstance(instance, error);
    }
  };
};

// The glue finds these before the runtime's own. `wasm-bindgen-futures` starts its tasks by the first, and `gloo-timers`
// its timers by the second.
// A promise in place of the runtime's own `queueMicrotask`, which keeps a context for each on Node and on workerd.
const queueMicrotask = (callback) => void Promise.resolve().then(guarded(callback));
const setTimeout = (callback, millis) => {
  try {
    return globalThis.setTimeout(guarded(callback), millis);
  } catch {
    // A runtime that refuses a timer makes the wait short, not the run fail.
    return void queueMicrotask(callback);
  }
};

/** The promise of a value, as `wasm-bindgen-futures` waits for it: by its `then`, and nothing else. */
const watchPromise = (value) => ({
  then(done, failed) {
    Promise.resolve(value).then(guarded(done), guarded(failed));
  },
});

/** How requests are sent where the caller hands in no `fetch`. */
let defaultExchange = (...request) => {
  const { fetch } = globalThis;
  if (!fetch) throw new Error('this runtime has no `fetch`: hand one in as the option `fetch`');
  return exchangeByFetch(fetch, ...request);
};

/**
 * Sends requests in another way than by the runtime's `fetch`: a function of `method`, `url`, `headers` (names and values
 * in turn), `body` or undefined, `timeoutMillis` and `maxBytes`, that gives the promise of `{ status, headers, body }`, or of
 * null for an answer that is larger. It follows no redirect, and its time-out covers the body.
 */
export function setExchange(exchange) {
  defaultExchange = exchange;
}

/**
 * What the module calls: method, address, and the names and values of headers cross as one text of lines, either way. Of the
 * answer's headers it reads these alone.
 */
const READ_HEADERS = ['date', 'retry-after'];
const exchangeWith = async (fetch, request, ...more) => {
  const [method, url, ...headers] = request.split('\n');
  const answer = await (fetch ? exchangeByFetch(fetch, method, url, headers, ...more) : defaultExchange(method, url, headers, ...more));
  if (answer === null) return null;
  let lines = '';
  for (let at = 0; at < answer.headers.length; at += 2) {
    const name = answer.headers[at].toLowerCase();
    if (READ_HEADERS.includes(name)) lines += `${name}\n${answer.headers[at + 1]}\n`;
  }
  return { status: answer.status, headers: lines, body: answer.body };
};

/** Redirects are not followed: a token must not travel to where an answer points. */
async function exchangeByFetch(fetch, method, url, headers, body, timeoutMillis, maxBytes) {
  const named = {};
  for (let at = 0; at < headers.length; at += 2) named[headers[at]] = headers[at + 1];
  // The signal also ends the reading of the body.
  const init = { method, headers: named, redirect: 'manual', signal: AbortSignal.timeout(timeoutMillis) };
  if (body) init.body = body;
  // Called with no `this`: workerd refuses its `fetch` as a method of anything else.
  const answer = await fetch(url, init);

  const { status, headers: own, body: stream } = answer;
  const header = (name) => own.get?.(name) ?? undefined;
  const received = READ_HEADERS.flatMap((name) => (header(name) === undefined ? [] : [name, String(header(name))]));
  const length = header('content-length');
  const declared = /^\d+$/.test(length) ? Number(length) : undefined;
  const isEncoded = header('content-encoding') !== undefined;
  if (declared > maxBytes) {
    cancel(stream);
    return null;
  }
  // The length of a packed answer is not known before its end: it may be a thousand times as long. Otherwise the runtime
  // holds the sender to its word, or it is an answer of the caller's own `fetch` without a stream.
  const isStream = typeof stream?.getReader === 'function' && (declared === undefined || isEncoded);
  const bytes = isStream ? await readStream(stream.getReader(), maxBytes) : new Uint8Array(await answer.arrayBuffer());
  if (bytes === null || (!isStream && bytes.length > maxBytes)) return null;
  return { status: Number(status), headers: received, body: bytes };
}

/** All bytes that a reader gives; null if they are too many, and the rest is not read. */
async function readStream(reader, maxBytes) {
  const chunks = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const chunk = bytesOf(value);
    length += chunk.length;
    if (length > maxBytes) {
      cancel(reader);
      return null;
    }
    chunks.push(chunk);
  }
  if (chunks.length === 1) return chunks[0];
  const bytes = new Uint8Array(length);
  let end = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, end);
    end += chunk.length;
  }
  return bytes;
}

function bytesOf(chunk) {
  if (chunk instanceof Uint8Array) return chunk;
  // Of another realm, as in a test runner's sandbox
  if (typeof chunk?.byteLength === 'number') return new Uint8Array(chunk);
  throw new Error('the answer’s body is not made of bytes');
}

/** Ends a stream or its reader, so that the sender stops; it may be neither, and its answer does not matter. */
function cancel(stream) {
  try {
    Promise.resolve(stream?.cancel?.()).catch(() => {});
  } catch {
    // Nothing is read of it in any case.
  }
}
