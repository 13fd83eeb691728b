// What a definition computes, in words.

import type { Aggregation, Condition, Definition } from '../../index.js';

const OPERATORS: Record<string, string> = {
  equals: 'is',
  notEquals: 'is not',
  gt: 'is more than',
  gte: 'is at least',
  lt: 'is less than',
  lte: 'is at most',
  in: 'is one of',
  notIn: 'is none of',
};

/** The same for days. */
const DAY_OPERATORS: Record<string, string> = { gt: 'is after', gte: 'is on or after', lt: 'is before', lte: 'is on or before' };

const DAYS: Record<string, string> = {
  today: 'today',
  startOfMonth: 'the first day of this month',
  startOfYear: '1 January of this year',
  startOfFiscalYear: 'the first day of this fiscal year',
};

/** `lifetimeGiftAmount` as people write it. */
export const plain = (name: string): string =>
  name
    .replace(/\.(amountMicros)$/, '')
    .replace(/\.currencyCode$/, ' currency')
    .replaceAll('.', ' ')
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase();

export const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const WITH_Y = /[^aeiou]y$/;

/** More than one of an object, as far as English is regular. */
export const several = (object: string): string => {
  const word = plain(object);
  if (word === 'person') return 'people';
  return WITH_Y.test(word) ? `${word.slice(0, -1)}ies` : `${word}${/(s|x|ch|sh)$/.test(word) ? 'es' : 's'}`;
};

const lessOf = (field: string, subtracted: string | null | undefined) => (subtracted ? `${plain(field)} less ${plain(subtracted)}` : plain(field));

const isDay = (value: unknown) => typeof value === 'string' && /^\d{4}-\d{2}-\d{2}/.test(value);

export function conditionInWords({ field, subtractField, operator, ...compared }: Condition): string {
  const subject = lessOf(field, subtractField);
  if (compared.dynamicValue) return `${subject} ${DAY_OPERATORS[operator] ?? OPERATORS[operator]} ${DAYS[compared.dynamicValue]}`;
  const { value } = compared;
  if (value === null || value === '') return `${subject} ${operator === 'notEquals' ? 'has a value' : 'is empty'}`;
  if (value === 0 && operator === 'gt') return `${subject} is above zero`;
  const words = (one: unknown) => (one === null || one === '' ? 'empty' : amountAt(field, one));
  const operand = Array.isArray(value) ? value.map(words).join(', ') : words(value);
  return `${subject} ${(isDay(value) && DAY_OPERATORS[operator]) || OPERATORS[operator]} ${operand}`;
}

/** A value that is compared with the micros of an amount, in the currency's unit. */
const amountAt = (field: string, value: unknown) =>
  field.endsWith('.amountMicros') && typeof value === 'number' ? String(value / 1_000_000) : String(value);

const conditionsInWords = (conditions: Condition[] | null | undefined) => (conditions ?? []).map(conditionInWords).join(' and ');

/** Which children count at all. */
export function childrenInWords({ parentObject, childObject, relationField, childFilters }: Definition): string {
  const counted = conditionsInWords(childFilters);
  return `For each ${plain(parentObject)}, from the ${several(childObject)} that name it as ${plain(relationField.replace(/Id$/, ''))}${counted ? `, if the ${counted}` : ''}.`;
}

/** How a total comes about. */
export function totalInWords({ type, childField, subtractField, filters }: Aggregation, childObject: string): string {
  const children = several(childObject);
  const value = childField ? lessOf(childField, subtractField) : '';
  const days = /date|at$|day/i.test(childField ?? '');
  const what = {
    COUNT: childField ? `the number of ${children} that have a ${value}` : `the number of ${children}`,
    SUM: `the sum of ${value}`,
    AVG: `the mean of ${value}`,
    MIN: `the ${days ? 'earliest' : 'least'} ${value}`,
    MAX: `the ${days ? 'latest' : 'greatest'} ${value}`,
  }[type];
  const conditions = conditionsInWords(filters);
  return conditions ? `${what}, where ${conditions}` : what;
}
