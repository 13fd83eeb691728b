// Requests on Node: by `node:http` and `node:https` with connections that are kept, which takes a fraction of the time that
// Node's `fetch` takes, and decides the same.
//
// Redirects are not followed, and no proxy of the environment is used: a token must not travel to where an answer or a
// variable points. The time-out covers the body. Nothing packed is asked for; what is packed all the same is unpacked, up to
// the same limit.

import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { promisify } from 'node:util';
import { type ZlibOptions, brotliDecompress, gunzip, inflate } from 'node:zlib';

import type { Answer, Exchange } from './generated/rollups.js';

/** How long a connection is kept without a request; servers close theirs after 5 s and more. */
const IDLE_TIMEOUT_MS = 4_000;
const MAX_IDLE_CONNECTIONS = 64;

/** The time-out is that of a connection that waits: the agent ends it then. On one in use it only tells, and nobody listens. */
const options = { keepAlive: true, maxFreeSockets: MAX_IDLE_CONNECTIONS, timeout: IDLE_TIMEOUT_MS };
const SCHEMES: Record<string, { request: typeof requestHttp; agent: HttpAgent }> = {
  'http:': { request: requestHttp, agent: new HttpAgent(options) },
  'https:': { request: requestHttps, agent: new HttpsAgent(options) },
};

const UNPACKERS: Record<string, (bytes: Uint8Array, options: ZlibOptions) => Promise<Uint8Array>> = { gzip: promisify(gunzip), 'x-gzip': promisify(gunzip), deflate: promisify(inflate), br: promisify(brotliDecompress) };

type Failure = Error & { code?: string; isStaleConnection?: boolean };

/** Where a connection leads. */
interface Origin {
  scheme: (typeof SCHEMES)[string];
  hostname: string;
  port: string;
  /** As the header says it. */
  host: string;
}

/** An address whose path is sent as it is: it has nothing that a parser would write otherwise. */
const PLAIN = /^(https?:\/\/[\w.:-]+)(\/(?:[\w~:,;=&?+*()!$@-]|%(?!2e)|[/.](?![/.]))*)$/i;
/** A process talks to few servers, each request to one of them. */
const MAX_ORIGINS = 100;
const origins = new Map<string, Origin>();

/** Takes an address apart. Most differ in their path alone, and parsing takes longer than all else here. */
function placeOf(address: string): { origin: Origin; path: string } {
  const [, base, path] = PLAIN.exec(address) ?? [];
  const known = base === undefined ? undefined : origins.get(base);
  if (known && path !== undefined) return { origin: known, path };
  const url = new URL(address);
  const scheme = SCHEMES[url.protocol];
  if (!scheme) throw new Error(`an address must begin with http: or https:, not ${url.protocol}`);
  const origin = { scheme, hostname: url.hostname.replace(/^\[|\]$/g, ''), port: url.port, host: url.host };
  if (base !== undefined && origins.size < MAX_ORIGINS) origins.set(base, origin);
  return { origin, path: url.pathname + url.search };
}

/**
 * Sends one request, and gives its whole answer, or null for one that is larger than `maxBytes`.
 *
 * @param headers names and values in turn
 */
export const exchangeByNodeHttp: Exchange = (method, url, headers, body, timeoutMillis, maxBytes) => {
  return new Promise((resolve, reject) => {
    const { origin, path } = placeOf(url);
    const sentHeaders = ['host', origin.host, 'accept-encoding', 'identity', ...headers];
    if (body || method !== 'GET') sentHeaders.push('content-length', String(body?.length ?? 0));
    let sent: ClientRequest;
    const timer = setTimeout(() => sent.destroy(new Error('The operation was aborted due to timeout')), timeoutMillis);
    const settle = <T>(end: (value: T) => void, value: T) => {
      clearTimeout(timer);
      end(value);
    };
    const send = (keepsConnection: boolean) => {
      const { scheme, hostname, port } = origin;
      sent = scheme.request({ agent: keepsConnection ? scheme.agent : false, method, hostname, port, path, headers: sentHeaders });
      let hasAnswer = false;
      const failed = (error: Failure) => {
        // The server closed the kept connection while the request was on its way, and did not read it.
        const isReset = error.code === 'ECONNRESET' || error.code === 'EPIPE';
        if (isReset && sent.reusedSocket && !hasAnswer && method === 'GET') send(false);
        else settle(reject, error);
      };
      sent.on('error', failed);
      sent.on('response', (response) => {
        hasAnswer = true;
        response.on('error', failed);
        gather(response, maxBytes, (answer) => {
          if (!answer) sent.destroy();
          settle(resolve, answer);
        });
      });
      sent.end(body);
    };
    try {
      send(true);
    } catch (error) {
      settle(reject, error);
    }
  });
};

/** Reads an answer to its end, or until it is larger than `maxBytes`. */
function gather(response: IncomingMessage, maxBytes: number, done: (answer: Answer | null | Promise<Answer | null>) => void): void {
  const headers = response.rawHeaders;
  const encoding = headerOf(headers, 'content-encoding')?.trim().toLowerCase();
  if (Number(headerOf(headers, 'content-length')) > maxBytes) return done(null);
  const chunks: Buffer[] = [];
  let length = 0;
  response.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > maxBytes) return done(null);
    chunks.push(chunk);
  });
  response.on('end', () => {
    const [only] = chunks;
    const body = only && chunks.length === 1 ? only : Buffer.concat(chunks, length);
    const answer = { status: response.statusCode ?? 0, headers, body };
    done(encoding && encoding !== 'identity' && length > 0 ? unpacked(answer, encoding, maxBytes) : answer);
  });
}

/** The first header of a name, among names and values in turn. */
function headerOf(headers: string[], name: string): string | undefined {
  for (let at = 0; at < headers.length; at += 2) {
    const own = headers[at] ?? '';
    if (own.length === name.length && own.toLowerCase() === name) return headers[at + 1];
  }
  return undefined;
}

async function unpacked(answer: Answer, encoding: string, maxBytes: number): Promise<Answer | null> {
  const unpack = UNPACKERS[encoding];
  if (!unpack) throw new Error(`the answer is packed as ${JSON.stringify(encoding)}, which was not asked for`);
  try {
    return { ...answer, body: await unpack(answer.body, { maxOutputLength: maxBytes }) };
  } catch (error) {
    if ((error as Failure).code === 'ERR_BUFFER_TOO_LARGE') return null;
    throw error;
  }
}
