/** A count that may be spent per span of time, refilled evenly: what Twenty allows an app to enqueue and to run. */
export class Budget {
  #left;
  #asOf;

  /** @param {number} limit per `spanMs`; @param {() => number} now in milliseconds */
  constructor(limit, spanMs, now) {
    Object.assign(this, { limit, spanMs, now });
    this.#left = limit;
    this.#asOf = now();
  }

  /** Takes `count` if that many are left, else nothing. */
  take(count) {
    const now = this.now();
    this.#left = Math.min(this.limit, this.#left + ((now - this.#asOf) * this.limit) / this.spanMs);
    this.#asOf = now;
    if (count > this.#left) return false;
    this.#left -= count;
    return true;
  }
}
