// Requests on Node: by `node:http` and `node:https` with connections that are kept, which takes a fraction of the time that
// Node's `fetch` takes, and decides the same.
//
// Redirects are not followed, and no proxy of the environment is used: a token must not travel to where an answer or a
// variable points. The time-out covers the body. Nothing packed is asked for; what is packed all the same is unpacked, up to
// the same limit.

import { Agent as HttpAgent, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { Socket } from 'node:net';
import { promisify } from 'node:util';
import { type ZlibOptions, brotliDecompress, gunzip, inflate } from 'node:zlib';

/** How long a connection is kept without a request; servers close theirs after 5 s and more. */
const IDLE_TIMEOUT_MS = 4_000;
const MAX_IDLE_CONNECTIONS = 64;

const options = { keepAlive: true, maxFreeSockets: MAX_IDLE_CONNECTIONS };
const SCHEMES: Record<string, { request: typeof requestHttp; agent: HttpAgent }> = {
  'http:': { request: requestHttp, agent: new HttpAgent(options) },
  'https:': { request: requestHttps, agent: new HttpsAgent(options) },
};
for (const { agent } of Object.values(SCHEMES)) {
  agent.on('free', (socket: Socket) => socket.setTimeout(IDLE_TIMEOUT_MS, () => socket.destroy()));
}

const UNPACKERS: Record<string, (bytes: Uint8Array, options: ZlibOptions) => Promise<Uint8Array>> = { gzip: promisify(gunzip), 'x-gzip': promisify(gunzip), deflate: promisify(inflate), br: promisify(brotliDecompress) };

/** An answer: its headers are names and values in turn, the names in lower case. */
export interface Answer {
  status: number;
  headers: string[];
  body: Uint8Array;
}

interface Sent {
  method: string;
  url: string;
  headers: string[];
  body: Uint8Array | undefined;
  maxBytes: number;
}

type Failure = Error & { code?: string; isStaleConnection?: boolean };

/**
 * Sends one request, and gives its whole answer, or null for one that is larger than `maxBytes`.
 *
 * @param headers names and values in turn
 */
export async function exchangeByNodeHttp(
  method: string,
  url: string,
  headers: string[],
  body: Uint8Array | undefined,
  timeoutMillis: number,
  maxBytes: number,
): Promise<Answer | null> {
  const deadline = performance.now() + timeoutMillis;
  const asked = { method, url, headers, body, maxBytes };
  let answer: Answer | null;
  try {
    answer = await exchange(asked, timeoutMillis, true);
  } catch (error) {
    // The server closed the kept connection while the request was on its way, and did not read it.
    if (!(error as Failure).isStaleConnection || method !== 'GET') throw error;
    answer = await exchange(asked, Math.max(deadline - performance.now(), 0), false);
  }
  return answer && unpacked(answer, maxBytes);
}

function exchange({ method, url, headers, body, maxBytes }: Sent, timeoutMillis: number, keepsConnection: boolean): Promise<Answer | null> {
  return new Promise((resolve, reject) => {
    const { protocol, hostname, port, pathname, search } = new URL(url);
    const scheme = SCHEMES[protocol];
    if (!scheme) throw new Error(`an address must begin with http: or https:, not ${protocol}`);
    const sent = scheme.request({
      agent: keepsConnection ? scheme.agent : false,
      method,
      hostname: hostname.replace(/^\[|\]$/g, ''),
      port,
      path: pathname + search,
      headers: headersOf(headers, body),
    });
    let hasAnswer = false;
    const timer = setTimeout(() => sent.destroy(new Error('The operation was aborted due to timeout')), timeoutMillis);
    const settle = <T>(end: (value: T) => void, value: T) => {
      clearTimeout(timer);
      end(value);
    };
    const failed = (error: Failure) => {
      const isReset = error.code === 'ECONNRESET' || error.code === 'EPIPE';
      if (isReset && sent.reusedSocket && !hasAnswer) error.isStaleConnection = true;
      settle(reject, error);
    };
    sent.on('error', failed);
    sent.on('response', (response) => {
      hasAnswer = true;
      const tooLarge = () => {
        settle(resolve, null);
        sent.destroy();
      };
      if (Number(response.headers['content-length']) > maxBytes) return tooLarge();
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > maxBytes) return tooLarge();
        chunks.push(chunk);
      });
      response.on('error', failed);
      response.on('end', () => {
        const [only] = chunks;
        const bytes = only && chunks.length === 1 ? only : Buffer.concat(chunks, length);
        settle(resolve, { status: response.statusCode ?? 0, headers: lowerCase(response.rawHeaders), body: bytes });
      });
    });
    sent.end(body);
  });
}

function headersOf(flat: string[], body: Uint8Array | undefined): Record<string, string | number> {
  const named: Record<string, string | number> = { 'accept-encoding': 'identity' };
  for (let at = 0; at < flat.length; at += 2) named[flat[at] ?? ''] = flat[at + 1] ?? '';
  if (body) named['content-length'] = body.length;
  return named;
}

/** Names and values in turn, the names in lower case. */
function lowerCase(raw: string[]): string[] {
  return raw.map((part, index) => (index % 2 === 0 ? part.toLowerCase() : part));
}

async function unpacked(answer: Answer, maxBytes: number): Promise<Answer | null> {
  const at = answer.headers.findIndex((name, index) => index % 2 === 0 && name === 'content-encoding');
  const encoding = at < 0 ? 'identity' : (answer.headers[at + 1] ?? '').trim().toLowerCase();
  if (encoding === 'identity' || encoding === '' || answer.body.length === 0) return answer;
  const unpack = UNPACKERS[encoding];
  if (!unpack) throw new Error(`the answer is packed as ${JSON.stringify(encoding)}, which was not asked for`);
  try {
    return { ...answer, body: await unpack(answer.body, { maxOutputLength: maxBytes }) };
  } catch (error) {
    if ((error as Failure).code === 'ERR_BUFFER_TOO_LARGE') return null;
    throw error;
  }
}
