// How much one process takes on at a time: requests, and bytes of their bodies.
//
// Callers and payment providers share both. Neither may take more than three quarters, so that a flood of one leaves room
// for the other. Where a share is full, a body that has been arriving for more than a second is given up for the request
// that comes: a provider's body is here within milliseconds, and a slow sender holds up no other request.

/** What callers, or providers, may take of all requests and of all bytes. */
const SHARE = 3 / 4;
/** Their share of bytes is never less: the largest body of a provider must fit. */
const MIN_SHARE_BYTES = 1024 * 1024;
/** A body that has been arriving for longer than this may be given up for another request. */
const SLOW_AFTER_MS = 1_000;
/** A body that has not arrived by then is given up. */
const BODY_TIMEOUT_MS = 10_000;
/** By how much the memory for a body grows. */
const BODY_STEP_BYTES = 64 * 1024;
/** A request that was taken on so long ago is over: workerd drops one whose caller has gone without running its code. */
const REQUEST_TIMEOUT_MS = 150_000;
/** When a request that found no room may come again. */
const RETRY_AFTER_SECONDS = 5;

import type { BodySource, Inbound } from './index.js';

/** Why a request is turned away before the module has all of it; the connection is to be closed. */
export class TurnedAway extends Error {
  readonly status: 408 | 503;
  readonly retryAfterSeconds: number | undefined;

  constructor(status: 408 | 503, message: string) {
    super(message);
    this.status = status;
    this.retryAfterSeconds = status === 503 ? RETRY_AFTER_SECONDS : undefined;
  }
}

/** A body that is arriving. */
interface Reading {
  since: number;
  over: boolean;
  giveUp: (reason: TurnedAway) => void;
}

/** What callers, or providers, have taken. */
class Share {
  requests = 0;
  bytes = 0;
  /** Those whose body is arriving, the oldest first. */
  reading = new Set<Reading>();
  readonly #maxRequests: number;
  readonly #maxBytes: number;

  constructor(maxRequests: number, maxBytes: number) {
    this.#maxRequests = maxRequests;
    this.#maxBytes = maxBytes;
  }

  fits(requests: number, bytes: number): boolean {
    return this.requests + requests <= this.#maxRequests && this.bytes + bytes <= this.#maxBytes;
  }

  take(requests: number, bytes: number): void {
    this.requests += requests;
    this.bytes += bytes;
  }
}

/** The class of a request, by which its share is chosen; one of another class is always taken on. */
export type RequestClass = 'caller' | 'webhook' | (string & {});

/** How long a body may be, and how long its sender says that it is. */
export interface BodyLimits {
  maxBytes: number;
  declaredBytes: number | undefined;
}

type Body = NonNullable<Inbound['body']>;

/** One request, from its head to its answer. */
export class Ticket {
  #admission: Admission | undefined;
  readonly #share: Share;
  readonly since: number;
  #bytes = 0;
  /** What the body is gathered in: memory that is given back at once, and not when the runtime comes to it. */
  #room: ArrayBuffer | undefined;

  constructor(admission: Admission, share: Share) {
    this.#admission = admission;
    this.#share = share;
    this.since = performance.now();
    admission.take(share, 1, 0);
    admission.tickets.add(this);
  }

  /** Takes room for so many bytes, or gives it back. */
  #reserve(bytes: number): void {
    this.#admission?.take(this.#share, 0, bytes);
    this.#bytes += bytes;
  }

  /**
   * The bytes of a body, until they are dropped; nothing if it is longer than `maxBytes`.
   *
   * @throws {TurnedAway} for a body that is slow, or that there is no room for; and whatever the sender's going throws
   */
  read(body: Body, { maxBytes, declaredBytes }: BodyLimits): Promise<Uint8Array | undefined> {
    // Reserved at once, and not as it arrives: of many bodies that begin together so many are read as can end.
    const longest = declaredBytes ?? maxBytes;
    this.#reserve(longest);
    return new Promise((resolve, reject) => {
      let stop: (() => void) | undefined;
      const giveUp = (reason: TurnedAway) => {
        end(() => reject(reason));
        // Its room is free from now on, not only when its own request ends.
        this.leave();
      };
      const reading: Reading = { since: performance.now(), over: false, giveUp };
      const end = (settle: () => void) => {
        if (reading.over) return;
        reading.over = true;
        clearTimeout(timer);
        this.#share.reading.delete(reading);
        stop?.();
        settle();
      };
      const timeOut = () => giveUp(new TurnedAway(408, 'the body of the request did not arrive in time'));
      const timer = setTimeout(timeOut, BODY_TIMEOUT_MS);
      this.#share.reading.add(reading);
      let length = 0;
      const take = (chunk: Uint8Array) => {
        if (reading.over) return;
        const begin = length;
        length += chunk.length;
        if (length > longest) end(() => resolve(undefined));
        // As most bodies come: in one piece, which is taken as it is.
        else if (chunk.length === declaredBytes) end(() => resolve(chunk));
        else this.#gather(chunk, begin, longest);
      };
      const finish = () =>
        end(() => {
          this.#reserve(length - this.#bytes);
          resolve(this.#room ? new Uint8Array(this.#room, 0, length) : new Uint8Array());
        });
      stop = sourceOf(body)({ take, end: finish, fail: (error) => end(() => reject(error)) }, declaredBytes);
    });
  }

  /** Copies into one piece: kept as they are, bytes that come one by one would take many times their number. */
  #gather(chunk: Uint8Array, begin: number, longest: number): void {
    const room = (this.#room ??= new ArrayBuffer(0, { maxByteLength: longest }));
    const end = begin + chunk.length;
    if (end > room.byteLength) room.resize(Math.min(Math.ceil(end / BODY_STEP_BYTES) * BODY_STEP_BYTES, longest));
    new Uint8Array(room, begin).set(chunk);
  }

  /** Gives the memory of the body back; the room for it stays taken, as the module has a copy. */
  drop(): void {
    this.#room?.resize(0);
    this.#room = undefined;
  }

  leave(): void {
    this.drop();
    this.#admission?.take(this.#share, -1, -this.#bytes);
    this.#admission?.tickets.delete(this);
    this.#admission = undefined;
  }
}

function sourceOf(body: Body): BodySource {
  if (typeof body === 'function') return body;
  return body instanceof Uint8Array ? sourceOfBytes(body) : sourceOfChunks(body);
}

const sourceOfBytes = (bytes: Uint8Array): BodySource => (sink) => {
  sink.take(bytes);
  sink.end();
  return () => {};
};

const sourceOfChunks = (chunks: AsyncIterable<Uint8Array>): BodySource => (sink) => {
  let isStopped = false;
  const iterator = chunks[Symbol.asyncIterator]();
  const deliver = async () => {
    while (!isStopped) {
      const { done, value } = await iterator.next();
      if (done) sink.end();
      else sink.take(value);
      isStopped ||= done === true;
    }
  };
  deliver().catch(sink.fail);
  return () => {
    isStopped = true;
  };
};

/** Takes on whatever needs no room. */
const UNLIMITED = new Share(Infinity, Infinity);

export class Admission {
  readonly #all: Share;
  readonly #shares: Record<string, Share>;
  /** Of the requests that are under way, the oldest first. */
  tickets = new Set<Ticket>();

  constructor({ maxRequests, maxBodyBytes }: { maxRequests: number; maxBodyBytes: number }) {
    this.#all = new Share(maxRequests, maxBodyBytes);
    const share = () => new Share(Math.max(maxRequests * SHARE, 1), Math.max(maxBodyBytes * SHARE, MIN_SHARE_BYTES));
    this.#shares = { caller: share(), webhook: share() };
  }

  /**
   * Takes a request on; it is to be told when the request is over.
   *
   * @throws {TurnedAway} if there is no room for it
   */
  enter(name: RequestClass): Ticket {
    for (const ticket of this.tickets) {
      if (performance.now() - ticket.since < REQUEST_TIMEOUT_MS) break;
      ticket.leave();
    }
    return new Ticket(this, this.#shares[name] ?? UNLIMITED);
  }

  /** For tickets. */
  take(share: Share, requests: number, bytes: number): void {
    if (share === UNLIMITED) return;
    const fits = () => share.fits(requests, bytes) && this.#all.fits(requests, bytes);
    if (requests > 0 || bytes > 0) {
      for (const reading of share.reading) {
        if (fits() || performance.now() - reading.since < SLOW_AFTER_MS) break;
        reading.giveUp(new TurnedAway(503, 'too many requests at a time, and the body of this one came slowly'));
      }
      if (!fits()) throw new TurnedAway(503, 'too many requests at a time; try again later');
    }
    share.take(requests, bytes);
    this.#all.take(requests, bytes);
  }
}
