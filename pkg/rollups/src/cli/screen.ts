// Everything that is printed goes through here: results to stdout, the rest to stderr, and no secret to either.

import picocolors from 'picocolors';

export class Screen {
  #secrets = [];
  #stdout;
  #stderr;
  /** Whether stdout gets one JSON document and nothing else. */
  json;
  /** Whether somebody watches, so that a progress bar makes sense. */
  watched;
  colors;

  constructor({ stdout, stderr, env }, { json }) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.json = json;
    const dumb = env.TERM === 'dumb';
    this.watched = Boolean(stdout.isTTY && stderr.isTTY) && !json && !dumb;
    // By https://no-color.org an empty value is none.
    this.colors = picocolors.createColors(Boolean(stdout.isTTY) && !env.NO_COLOR && !dumb);
  }

  /** Keeps a text from ever being printed. One of a few letters is no secret, and would tear holes into words. */
  hide(secret) {
    if (secret.length >= 6) this.#secrets.push(secret);
  }

  redact(text) {
    return this.#secrets.reduce((shown, secret) => shown.replaceAll(secret, '[secret]'), text);
  }

  /** A line of the result; not with `--json`. */
  say(text = '') {
    if (!this.json) this.#stdout.write(`${this.redact(text)}\n`);
  }

  /** A line about the run itself. */
  tell(text) {
    this.#stderr.write(`${this.redact(text)}\n`);
  }

  /** The one document of `--json`. */
  document(value) {
    if (this.json) this.#stdout.write(`${this.redact(JSON.stringify(value, null, 2))}\n`);
  }

  /** Where a progress bar draws. */
  get stage() {
    return this.#stderr;
  }
}
