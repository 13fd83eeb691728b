// The HTTP server on Node.
//
// On SIGTERM or SIGINT it takes no further request, finishes those that are under way, and ends within ten seconds; on a
// second signal at once.

import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { constants } from 'node:os';
import { setFlagsFromString } from 'node:v8';

import type { BodySource, Environment, Header } from './index.js';
import { answer, fetch, maxConnections } from './node.js';
import { processStaged } from './process-staged.js';

/** A request whose head is not there by then is cut. */
const HEADERS_TIMEOUT_MS = 10_000;
/** A request that is not there by then is cut; `admission.js` is stricter with bodies that are read. */
const REQUEST_TIMEOUT_MS = 30_000;
/** How often these two are looked after. */
const CHECK_INTERVAL_MS = 1_000;
/** An answer that the caller has not taken by then is cut. */
const RESPONSE_TIMEOUT_MS = 20_000;
/** How long a connection may be idle between two requests. */
const KEEP_ALIVE_TIMEOUT_MS = 5_000;
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_HEADERS = 100;

/** Where there are too many connections, one that has been idle for this long is closed for the one that comes. */
const IDLE_AFTER_MS = 1_000;
/** A sender that is still sending after its answer has this long to read it: closed at once, it might see a reset alone. */
const LINGER_MS = 1_000;

/** At the end: when connections without a request are closed, and when all of them are. */
const IDLE_GRACE_MS = 1_000;
const STOP_TIMEOUT_MS = 8_000;

// What a request allocates is garbage once it is answered. Room for it that does not grow stays in the processor's cache, and a
// heap of a few megabytes is cleaned for less by one thread than by several, and at once than in steps.
const MEMORY_FLAGS = ['--semi-space-growth-factor=1', '--no-parallel-scavenge', '--no-incremental-marking'];
// A server does the same few things over and over: compiled for speed early, they repay it within some thousand requests.
const COMPILER_FLAGS = ['--wasm-tiering-budget=200000'];
// Later versions of V8 have other measures for JavaScript, and complain of this one.
if (process.versions.v8.startsWith('11.')) COMPILER_FLAGS.push('--interrupt-budget=8000');
for (const flag of [...MEMORY_FLAGS, ...COMPILER_FLAGS]) setFlagsFromString(flag);

let stopping = false;

async function respond(request: IncomingMessage, response: ServerResponse, { env, expectsContinue }: { env: Environment; expectsContinue: boolean }): Promise<void> {
  const { method = 'GET', url: target = '/', rawHeaders } = request;
  const headers: Header[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) headers.push([rawHeaders[at]!, rawHeaders[at + 1]!]);
  const sent = await answer({ method, target, headers, body: bodyOf(request, response, expectsContinue) }, env);
  if (!request.complete) lingerOn(request.socket);
  const fields = sent.headers.flat();
  // A body that was not read to its end leaves a connection that cannot be used again.
  if (sent.close || stopping || !request.complete) fields.push('connection', 'close');
  if (sent.body) fields.push('content-length', String(sent.body.length));
  response.writeHead(sent.status, fields).end(sent.body);
  // What the system has taken at once needs no watching.
  if (response.writableLength === 0) return;
  const timer = setTimeout(() => request.socket.destroy(), RESPONSE_TIMEOUT_MS).unref();
  response.once('close', () => clearTimeout(timer));
}

/** The body; a caller that asks first (`Expect`) is told to send it only when the route reads it. */
function bodyOf(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): BodySource {
  return ({ take, end, fail }) => {
    if (expectsContinue) response.writeContinue();
    request.on('data', take).on('end', end).on('error', fail);
    // What still comes is read and dropped, so that there is a connection to answer on.
    return () => request.off('data', take).off('end', end).off('error', fail);
  };
}

/** Node closes a connection right after the answer; here what still arrives is dropped for a moment first. */
function lingerOn(socket: Socket): void {
  socket.destroySoon = () => {
    socket.end();
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  };
}

interface ConnectionLimit {
  /** Says that a request has come on a connection. */
  isServed: (request: IncomingMessage, response: ServerResponse) => void;
  /** Closes all connections without a request. */
  closeIdle: () => void;
}

function limitConnections(server: Server, maxOpen: number): ConnectionLimit {
  const open = new Set<Socket>();
  /** Those without a request, and since when; the longest idle first. */
  const idle = new Map<Socket, number>();
  const busy = new Map<Socket, number>();
  server.on('connection', (socket) => {
    open.add(socket);
    if (open.size > maxOpen) {
      const [longestIdle] = idle;
      const [oldest, since] = longestIdle ?? [socket, Infinity];
      (performance.now() - since > IDLE_AFTER_MS ? oldest : socket).destroy();
    }
    idle.set(socket, performance.now());
    socket.once('close', () => [open, idle, busy].forEach((sockets) => sockets.delete(socket)));
  });
  const isServed = ({ socket }: IncomingMessage, response: ServerResponse) => {
    idle.delete(socket);
    busy.set(socket, (busy.get(socket) ?? 0) + 1);
    response.once('close', () => {
      if (!open.has(socket)) return;
      const left = (busy.get(socket) ?? 1) - 1;
      if (left > 0) busy.set(socket, left);
      else if (busy.delete(socket)) idle.set(socket, performance.now());
    });
  };
  return { isServed, closeIdle: () => [...idle.keys()].forEach((socket) => socket.destroy()) };
}

export interface ListenOptions {
  /** 0 for any that is free. */
  port: number;
  host: string;
  /** The settings. */
  env: Environment;
  /** How often staged gifts are processed, in minutes; never, if it is left out. */
  processEveryMinutes?: number | undefined;
}

const MS_PER_MINUTE = 60_000;

/**
 * Serves until a signal ends the process.
 *
 * @returns where it listens
 * @throws the error of the system if it cannot
 */
export function listen({ port, host, env, processEveryMinutes }: ListenOptions): Promise<string> {
  const server = createServer({
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  });
  server.maxHeadersCount = MAX_HEADERS;
  const { isServed, closeIdle } = limitConnections(server, maxConnections(env));
  for (const [event, expectsContinue] of [['request', false], ['checkContinue', true]] as const) {
    server.on(event, (request: IncomingMessage, response: ServerResponse) => {
      isServed(request, response);
      // The caller has gone while it sent its body: no answer can reach it.
      respond(request, response, { env, expectsContinue }).catch(() => response.destroy());
    });
  }
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      const { address, family, port: own } = server.address() as AddressInfo;
      stopOnSignals(server, closeIdle);
      if (processEveryMinutes) processRegularly(processEveryMinutes, env);
      resolve(`http://${family === 'IPv6' ? `[${address}]` : address}:${own}`);
    });
  });
}

function stopOnSignals(server: Server, closeIdle: () => void): void {
  const stop = (signal: 'SIGINT' | 'SIGTERM') => {
    if (stopping) process.exit(128 + constants.signals[signal]);
    stopping = true;
    server.close();
    setTimeout(closeIdle, IDLE_GRACE_MS).unref();
    // What is under way in the module may be waiting for Twenty: the ids of gifts make a repetition harmless.
    setTimeout(() => process.exit(), STOP_TIMEOUT_MS).unref();
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
}

/** One run after the other: a tick that finds one under way is left out. */
function processRegularly(minutes: number, env: Environment): void {
  let isUnderWay = false;
  const tick = async () => {
    if (isUnderWay || stopping) return;
    isUnderWay = true;
    // The log says why it failed; the next tick tries again.
    await processStaged(fetch, env).catch(() => {});
    isUnderWay = false;
  };
  setInterval(tick, minutes * MS_PER_MINUTE).unref();
}

/** Why a server cannot listen, in words for the person who started it. */
export function listenFault(error: unknown, { port, host }: Pick<ListenOptions, 'port' | 'host'>): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = {
    EADDRINUSE: 'another program listens there; take another port, or 0 for any that is free',
    EACCES: 'this user may not listen there; take a port from 1024 on',
    EADDRNOTAVAIL: 'this machine does not have that address',
    ENOTFOUND: 'there is no address of that name',
  }[code ?? ''];
  return `cannot listen on ${host}, port ${port}: ${reason ? `${reason} (${code})` : message}`;
}
