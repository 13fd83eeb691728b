// Which totals a workspace seems to be made for: the built-in definitions, and what the names of its own fields say.

import type { Aggregation, Condition, Definition, Skipped } from '../index.js';
import type { FieldMetadata, ObjectMetadata } from './workspace.js';

/** The words of a name: `yearToDateGiftCount` has five. */
const wordsOf = (name: string): string[] => name.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase().split(/[^a-z0-9]+/);

const hasAny = (words: string[], some: string[]) => some.some((word) => words.includes(word));

const NO_DATES = ['createdAt', 'updatedAt', 'deletedAt'];
const YEAR = ['year', 'ytd', 'annual'];
const isDate = ({ type }: FieldMetadata) => type === 'DATE' || type === 'DATE_TIME';

/** The children that can be added up: those with an amount and a relation to the parent. */
interface Child {
  name: string;
  relationField: string;
  amount: string;
  date: string | undefined;
}

/**
 * Definitions for what the workspace has of its own, by the names and types of the parents' fields: `totalDonations` of type
 * CURRENCY is a sum, `donationCount` a count, `lastDonation` of type DATE the greatest date.
 *
 * @param known definitions that need no guess; what they write to is left to them
 */
export function proposedDefinitions(objects: readonly ObjectMetadata[], known: readonly Definition[]): Definition[] {
  const proposed: Definition[] = [];
  for (const parent of objects) {
    const children = childrenOf(parent, objects);
    const taken = new Set(known.filter(({ parentObject }) => parentObject === parent.name).flatMap(({ aggregations }) => aggregations.map(({ parentField }) => parentField)));
    for (const child of children) {
      const fields = parent.fields.filter((field) => field.isCustom && !taken.has(field.name) && isOf(field, child, children));
      const aggregations = fields.flatMap((field) => aggregationFor(field, child) ?? []);
      if (aggregations.length > 0) proposed.push({ parentObject: parent.name, childObject: child.name, relationField: child.relationField, aggregations });
    }
  }
  return proposed;
}

function childrenOf(parent: ObjectMetadata, objects: readonly ObjectMetadata[]): Child[] {
  return objects.flatMap(({ name, fields }) => {
    const relation = fields.find(({ target }) => target === parent.name);
    const amounts = fields.filter(({ type }) => type === 'CURRENCY');
    const amount = amounts.find((field) => field.name === 'amount') ?? amounts[0];
    const dates = fields.filter((field) => isDate(field) && !NO_DATES.includes(field.name));
    const date = dates.find((field) => field.isCustom) ?? dates[0];
    return relation && amount && name !== parent.name ? [{ name, relationField: relation.name, amount: amount.name, date: date?.name }] : [];
  });
}

/** Whether a field is about this child: it is named in it, or no other is, and there is no other to choose from. */
function isOf({ name }: FieldMetadata, child: Child, children: readonly Child[]): boolean {
  const words = wordsOf(name);
  const isNamed = (other: Child) => wordsOf(other.name).every((word) => words.some((own) => own === word || own === `${word}s`));
  const named = children.filter(isNamed);
  return named.length > 0 ? named.includes(child) : children.length === 1;
}

function aggregationFor({ name, type }: FieldMetadata, { amount, date }: Child): Aggregation | undefined {
  const words = wordsOf(name);
  const filters = thisYear(words, date);
  if (!filters) return undefined;
  const more = { parentField: name, ...(filters.length > 0 && { filters }) };
  if (type === 'CURRENCY') {
    const kind = amountKind(words);
    return kind && { type: kind, childField: `${amount}.amountMicros`, currencyField: `${amount}.currencyCode`, ...more };
  }
  if (type === 'NUMBER' && hasAny(words, ['count', 'number', 'times'])) return { type: 'COUNT', ...more };
  if ((type === 'DATE' || type === 'DATE_TIME') && date) {
    if (hasAny(words, ['last', 'latest', 'recent'])) return { type: 'MAX', childField: date, ...more };
    if (hasAny(words, ['first', 'earliest'])) return { type: 'MIN', childField: date, ...more };
  }
  return undefined;
}

function amountKind(words: string[]): 'AVG' | 'MAX' | 'MIN' | 'SUM' | undefined {
  if (hasAny(words, ['average', 'avg', 'mean'])) return 'AVG';
  if (hasAny(words, ['largest', 'highest', 'biggest', 'max', 'maximum'])) return 'MAX';
  if (hasAny(words, ['smallest', 'lowest', 'min', 'minimum'])) return 'MIN';
  // The amount of the last gift is no sum, and nothing that a definition can say.
  if (hasAny(words, ['last', 'latest', 'first', 'recent', 'next', 'goal', 'target', 'budget'])) return undefined;
  return hasAny(words, ['total', 'sum', 'lifetime', 'raised', 'given', 'giving', 'received', 'amount', ...YEAR]) ? 'SUM' : undefined;
}

/** The condition that a total of this year needs; none for one of all time, nothing for one that cannot be told. */
function thisYear(words: string[], date: string | undefined): Condition[] | undefined {
  if (!hasAny(words, YEAR)) return [];
  if (!date || hasAny(words, ['last', 'previous', 'prior'])) return undefined;
  return [
    { field: date, operator: 'gte', dynamicValue: 'startOfYear' },
    { field: date, operator: 'lte', dynamicValue: 'today' },
  ];
}

/** The definitions without what the engine has left out. */
export function withoutSkipped(definitions: readonly Definition[], skipped: readonly Skipped[]): Definition[] {
  return definitions.flatMap((definition, number) => {
    const out = skipped.filter((entry) => entry.definition === number);
    const aggregations = definition.aggregations.filter((_, index) => !out.some((entry) => entry.aggregation === null || entry.aggregation === index));
    return aggregations.length > 0 ? [{ ...definition, aggregations }] : [];
  });
}
