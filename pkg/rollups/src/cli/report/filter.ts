// Conditions of a definition as a filter of the server: those alone that mean the same on both sides.

import type { Condition } from '../../index.js';
import { dayIn } from '../../test-totals.js';

type Filter = Record<string, unknown>;

export interface Calendar {
  timeZone: string | undefined;
  /** 1 to 12. */
  fiscalYearStartMonth: number;
  now: Date;
}

const ORDERED = new Set(['NUMBER', 'MICROS', 'DATE']);
const TEXTS = new Set(['TEXT', 'SELECT', 'CODE']);

/** The kind of what stands at a path, as far as its filters are known. */
function kindOf(path: string, fields: ReadonlyMap<string, string>): string | undefined {
  const [name = '', part, more] = path.split('.');
  const type = fields.get(name);
  if (more !== undefined) return undefined;
  if (type === 'CURRENCY') return part === 'amountMicros' ? 'MICROS' : part === 'currencyCode' ? 'CODE' : undefined;
  return part === undefined && ['NUMBER', 'DATE', 'TEXT', 'SELECT', 'BOOLEAN'].includes(type ?? '') ? type : undefined;
}

/** @returns nothing for a condition that the server would understand otherwise, or not at all */
export function serverFilter(condition: Condition, fields: ReadonlyMap<string, string>, calendar: Calendar): Filter | undefined {
  const { field, operator, subtractField } = condition;
  const kind = kindOf(field, fields);
  if (subtractField || kind === undefined) return undefined;
  const on = (test: Filter): Filter => field.split('.').reduceRight<Filter>((inner, name) => ({ [name]: inner }), test);
  const [isEmpty, isFilled] = [on({ is: 'NULL' }), on({ is: 'NOT_NULL' })];
  const given = condition.dynamicValue ? dayOf(condition.dynamicValue, calendar) : condition.value;
  const values = (Array.isArray(given) ? given : [given]).map((value) => (value === '' ? null : value));
  const filled = values.filter((value) => value !== null);
  if (filled.some((value) => !isOfKind(value, kind))) return undefined;
  const hasEmpty = filled.length < values.length;
  switch (operator) {
    case 'equals':
    case 'in': {
      const any = [...filled.map((value) => on({ eq: value })), ...(hasEmpty ? [isEmpty] : [])];
      return any.length > 0 ? { or: any } : undefined;
    }
    case 'notEquals':
    case 'notIn': {
      const none = { and: filled.map((value) => on({ neq: value })) };
      // The server leaves empty fields out of what is not equal.
      if (hasEmpty) return { and: [isFilled, ...none.and] };
      return filled.length > 0 ? { or: [none, isEmpty] } : undefined;
    }
    default:
      return ORDERED.has(kind) && filled.length === 1 ? on({ [operator]: filled[0] }) : undefined;
  }
}

function isOfKind(value: unknown, kind: string): boolean {
  if (TEXTS.has(kind)) return typeof value === 'string';
  if (kind === 'DATE') return typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value);
  return typeof value === (kind === 'BOOLEAN' ? 'boolean' : 'number');
}

function dayOf(day: string, { timeZone, fiscalYearStartMonth, now }: Calendar): string {
  const today = dayIn(timeZone, now);
  const [year, month] = [Number(today.slice(0, 4)), Number(today.slice(5, 7))];
  const first = (ofYear: number, ofMonth: number) => `${String(ofYear).padStart(4, '0')}-${String(ofMonth).padStart(2, '0')}-01`;
  if (day === 'startOfMonth') return first(year, month);
  if (day === 'startOfYear') return first(year, 1);
  if (day === 'startOfFiscalYear') return first(month >= fiscalYearStartMonth ? year : year - 1, fiscalYearStartMonth);
  return today;
}
