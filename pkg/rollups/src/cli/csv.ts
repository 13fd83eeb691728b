// The CSV of a dry run, by RFC 4180: one line for each value that a rebuild would change. Amounts are in the currency's
// main unit, with the code in a column of its own, so that a spreadsheet can add them up.

import { closeSync, openSync, writeSync } from 'node:fs';

import { messageOf, usage } from './outcome.js';
import { formatAmount, isMoney } from './text.js';

const HEAD = ['object', 'id', 'field', 'stored', 'storedCurrency', 'computed', 'computedCurrency'];

/** What the log line `difference_found` says of a value. */
export interface Change {
  object: string;
  id: string;
  field: string;
  stored: unknown;
  computed: unknown;
}

/** Marks a text that a spreadsheet would run as a formula by an apostrophe; a negative number is none. */
const inert = (text: string) => (/^[=+\-@\t\r]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text) ? `'${text}` : text);

const cell = (value: unknown) => {
  const text = inert(typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value ?? ''));
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

const line = (cells: unknown[]) => `${cells.map(cell).join(',')}\r\n`;

const columns = (value: unknown): unknown[] => {
  if (isMoney(value)) return [formatAmount(value.amountMicros), value.currencyCode];
  return [typeof value === 'object' && value !== null ? JSON.stringify(value) : value, null];
};

/** Writes each change as it is logged, so that a million of them need no memory. */
export class ChangesFile {
  readonly #file: number;

  constructor(path: string) {
    try {
      // Names of records and what donors gave: for the owner's eyes.
      this.#file = openSync(path, 'w', 0o600);
    } catch (error) {
      throw usage('unwritable_file', `cannot write \`${path}\`: ${messageOf(error)}`);
    }
    writeSync(this.#file, line(HEAD));
  }

  add({ object, id, field, stored, computed }: Change): void {
    writeSync(this.#file, line([object, id, field, ...columns(stored), ...columns(computed)]));
  }

  close(): void {
    closeSync(this.#file);
  }
}
