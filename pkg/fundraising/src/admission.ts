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
const STEP_BYTES = 64 * 1024;
/** A request that was taken on so long ago is over: workerd drops one whose caller has gone without running its code. */
const MAX_REQUEST_MS = 150_000;
/** When a request that found no room may come again. */
const RETRY_AFTER_SECONDS = 5;

/** Why a request is turned away before the module has all of it; the connection is to be closed. */
export class TurnedAway extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
    if (status === 503) this.retryAfterSeconds = RETRY_AFTER_SECONDS;
  }
}

/** What callers, or providers, have taken. */
class Share {
  requests = 0;
  bytes = 0;
  /** Those whose body is arriving, the oldest first. */
  reading = new Set();

  constructor(maxRequests, maxBytes) {
    Object.assign(this, { maxRequests, maxBytes });
  }

  fits(requests, bytes) {
    return this.requests + requests <= this.maxRequests && this.bytes + bytes <= this.maxBytes;
  }

  take(requests, bytes) {
    this.requests += requests;
    this.bytes += bytes;
  }
}

/** One request, from its head to its answer. */
class Ticket {
  #admission;
  #share;
  #bytes = 0;
  /** What the body is gathered in: memory that is given back at once, and not when the runtime comes to it. */
  #room;

  constructor(admission, share) {
    this.#admission = admission;
    this.#share = share;
    this.since = performance.now();
    admission.take(share, 1, 0);
    admission.tickets.add(this);
  }

  /** Takes room for so many bytes, or gives it back. */
  #reserve(bytes) {
    this.#admission?.take(this.#share, 0, bytes);
    this.#bytes += bytes;
  }

  /**
   * The bytes of a body, until they are dropped; nothing if it is longer than `maxBytes`.
   *
   * @param {AsyncIterable<Uint8Array>} chunks
   * @param {{ maxBytes: number, declaredBytes: number | null }} head
   * @throws {TurnedAway} for a body that is slow, or that there is no room for; and whatever the sender's going throws
   */
  read(chunks, { maxBytes, declaredBytes }) {
    // Reserved at once, and not as it arrives: of many bodies that begin together so many are read as can end.
    const longest = declaredBytes ?? maxBytes;
    this.#reserve(longest);
    this.#room = new ArrayBuffer(0, { maxByteLength: longest });
    const iterator = chunks[Symbol.asyncIterator]();
    return new Promise((resolve, reject) => {
      const reading = { since: performance.now(), over: false, giveUp: undefined };
      const end = (settle, value) => {
        if (reading.over) return;
        reading.over = true;
        clearTimeout(timer);
        this.#share.reading.delete(reading);
        settle(value);
      };
      reading.giveUp = (reason) => {
        end(reject, reason);
        // Its room is free from now on, not only when its own request ends.
        this.leave();
      };
      const late = () => reading.giveUp(new TurnedAway(408, 'the body of the request did not arrive in time'));
      const timer = setTimeout(late, BODY_TIMEOUT_MS);
      this.#share.reading.add(reading);
      this.#gather(iterator, reading).then(
        (body) => end(resolve, body),
        (error) => end(reject, error),
      );
    });
  }

  async #gather(iterator, reading) {
    const room = this.#room;
    // Copied into one piece: kept as they are, bytes that come one by one would take many times their number.
    const bytes = new Uint8Array(room);
    let length = 0;
    for (;;) {
      const { done, value } = await iterator.next();
      if (reading.over || done) break;
      const end = length + value.length;
      if (end > room.maxByteLength) return undefined;
      if (end > room.byteLength) room.resize(Math.min(Math.ceil(end / STEP_BYTES) * STEP_BYTES, room.maxByteLength));
      bytes.set(value, length);
      length = end;
    }
    if (!reading.over) this.#reserve(length - this.#bytes);
    return bytes.subarray(0, length);
  }

  /** Gives the memory of the body back; the room for it stays taken, as the module has a copy. */
  drop() {
    this.#room?.resize(0);
    this.#room = undefined;
  }

  leave() {
    this.drop();
    this.#admission?.take(this.#share, -1, -this.#bytes);
    this.#admission?.tickets.delete(this);
    this.#admission = undefined;
  }
}

/** Takes on whatever needs no room. */
const FREE = new Share(Infinity, Infinity);

export class Admission {
  #all;
  #shares;
  /** Of the requests that are under way, the oldest first. */
  tickets = new Set();

  /** @param {{ maxRequests: number, maxBodyBytes: number }} limits */
  constructor({ maxRequests, maxBodyBytes }) {
    this.#all = new Share(maxRequests, maxBodyBytes);
    const share = () => new Share(Math.max(maxRequests * SHARE, 1), Math.max(maxBodyBytes * SHARE, MIN_SHARE_BYTES));
    this.#shares = { caller: share(), webhook: share() };
  }

  /**
   * Takes a request on; it is to be told when the request is over.
   *
   * @param {string} name the class of the request; one that has no share is always taken on
   * @throws {TurnedAway} if there is no room for it
   */
  enter(name) {
    for (const ticket of this.tickets) {
      if (performance.now() - ticket.since < MAX_REQUEST_MS) break;
      ticket.leave();
    }
    return new Ticket(this, this.#shares[name] ?? FREE);
  }

  /** For tickets. */
  take(share, requests, bytes) {
    if (share === FREE) return;
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
