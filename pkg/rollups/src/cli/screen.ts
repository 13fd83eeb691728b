// Everything that is printed goes through here: results to stdout, the rest to stderr, and no secret to either.

import picocolors from 'picocolors';

import type { Output, Host } from './context.js';
import { wrap } from './text.js';

/** A terminal that is narrower breaks lines itself. */
const MIN_COLUMNS = 40;

/** Shorter texts are no secrets, and redacting them would tear holes into words. */
const MIN_SECRET_LENGTH = 6;

/** Text as a terminal of that width shows it without breaking a word; anything else gets it as it is. */
function fitted(text: string, { isTTY, columns }: Output): string {
  if (!isTTY || !columns) return text;
  const width = Math.max(columns, MIN_COLUMNS);
  return text.split('\n').map((line) => (line.length > width && !line.includes('\x1b') ? brokenAtWords(line, width) : line)).join('\n');
}

function brokenAtWords(line: string, width: number): string {
  const indent = /^ */.exec(line)![0];
  return wrap(line.trimStart(), indent.length, width).map((part) => indent + part).join('\n');
}

export class Screen {
  readonly #secrets: string[] = [];
  readonly #stdout: Output;
  readonly #stderr: Output;
  /** Whether stdout gets one JSON document and nothing else. */
  readonly json: boolean;
  /** Whether this is a terminal, so that a progress bar makes sense. */
  readonly isInteractive: boolean;
  readonly colors;

  constructor({ stdout, stderr, env }: Pick<Host, 'stdout' | 'stderr' | 'env'>, { json }: { json: boolean }) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.json = json;
    const dumb = env.TERM === 'dumb';
    this.isInteractive = Boolean(stdout.isTTY && stderr.isTTY) && !json && !dumb;
    // By https://no-color.org an empty value is none.
    this.colors = picocolors.createColors(Boolean(stdout.isTTY) && !env.NO_COLOR && !dumb);
  }

  /** Keeps a text from ever being printed. */
  addSecret(secret: string): void {
    if (secret.length >= MIN_SECRET_LENGTH) this.#secrets.push(secret);
  }

  redact(text: string): string {
    return this.#secrets.reduce((shown, secret) => shown.replaceAll(secret, '[secret]'), text);
  }

  /** Prints a line of the result; not with `--json`. */
  print(text = ''): void {
    if (!this.json) this.#stdout.write(`${fitted(this.redact(text), this.#stdout)}\n`);
  }

  /** Prints a line about the run itself. */
  log(text: string): void {
    this.#stderr.write(`${fitted(this.redact(text), this.#stderr)}\n`);
  }

  /** Prints the one document of `--json`. */
  document(value: unknown): void {
    if (this.json) this.#stdout.write(`${this.redact(JSON.stringify(value, null, 2))}\n`);
  }

  /** Where a progress bar draws. */
  get progressStream(): Output {
    return this.#stderr;
  }
}
