// The largest changes that a rebuild would make, kept while they come: a million of them need no memory.

import type { Change } from '../csv.js';
import { isMoney } from '../text.js';

export interface LargeChange {
  object: string;
  id: string;
  field: string;
  /** In the unit of the currency. */
  stored: number;
  computed: number;
  difference: number;
}

const KEPT = 10;
const MICROS = 1_000_000;

const amountOf = (value: unknown) => (isMoney(value) ? Number(value.amountMicros ?? 0) / MICROS : 0);
const codeOf = (value: unknown) => (isMoney(value) && typeof value.currencyCode === 'string' ? value.currencyCode.toUpperCase() : '');

export class LargestChanges {
  /** By currency: amounts of several have no common order. */
  readonly byCurrency = new Map<string, LargeChange[]>();

  add({ object, id, field, stored, computed }: Change): void {
    if (!isMoney(computed) && !isMoney(stored)) return;
    const [from, to] = [amountOf(stored), amountOf(computed)];
    const code = codeOf(computed) || codeOf(stored);
    if (!Number.isFinite(to - from) || (codeOf(stored) && code !== codeOf(stored))) return;
    const kept = this.byCurrency.get(code) ?? [];
    kept.push({ object, id, field, stored: from, computed: to, difference: to - from });
    kept.sort((one, other) => Math.abs(other.difference) - Math.abs(one.difference));
    this.byCurrency.set(code, kept.slice(0, KEPT));
  }
}
