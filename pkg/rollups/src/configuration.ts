// Made of rollups.schema.json by `npm run schema`; not to be edited by hand.

/**
 * Which totals a Twenty workspace keeps on its records: a list of definitions, or an object with the list and the settings.
 */
export type RollupsJson = Definition[] | Configuration;
/**
 * One total.
 */
export type Aggregation = CountAggregation | SumAggregation | ValueAggregation;
/**
 * Path of a value in a record: names joined by points, such as `amount.amountMicros`.
 */
export type FieldPath = string;
/**
 * A condition on a child.
 */
export type Condition = EqualityCondition | OrderCondition | ListCondition;
/**
 * The same, or not: `notEquals` includes children where the field is empty.
 */
export type EqualityCondition = EqualsValue | EqualsDay;
/**
 * A value that a condition compares with; null for an empty field.
 */
export type Scalar = string | number | boolean | null;
/**
 * A day that moves with the calendar of the configured time zone.
 */
export type DynamicDay = 'today' | 'startOfMonth' | 'startOfYear' | 'startOfFiscalYear';
/**
 * Greater or less: never holds for a child where the field is empty.
 */
export type OrderCondition = OrderedByValue | OrderedByDay;
/**
 * Name of an object or of a field, as in Twenty's API.
 */
export type Name = string;
/**
 * What becomes of a field of money whose amounts are in several currencies: it stays, or is emptied.
 */
export type MixedCurrency = 'leave' | 'clear';
/**
 * Plural name of an object, as in Twenty's API.
 */
export type PluralName = string;

/**
 * Which totals the parents of one relation carry, computed from which children.
 */
export interface Definition {
  /**
   * The totals.
   *
   * @minItems 1
   */
  aggregations: Aggregation[];
  /**
   * Conditions that a child has to meet to be counted at all.
   */
  childFilters?: Condition[] | null;
  /**
   * Object that is counted, in the singular: `gift`.
   */
  childObject: Name;
  /**
   * A description, for the reader.
   */
  description?: string;
  /**
   * A name, for the reader.
   */
  name?: string;
  /**
   * Object that carries the totals, in the singular: `person`.
   */
  parentObject: Name;
  /**
   * Field of the child that holds the parent's id: `donorId`.
   */
  relationField: Name;
}
/**
 * How many children there are; with a `childField`, how many have a value there.
 */
export interface CountAggregation {
  /**
   * Path of a value in a child; children where it is empty are not counted.
   */
  childField?: FieldPath | null;
  /**
   * A count is no amount of money.
   */
  currencyField?: null;
  /**
   * Further conditions on a child, for this total alone.
   */
  filters?: Condition[] | null;
  /**
   * Field of the parent that receives the total; no two totals may share one.
   */
  parentField: Name;
  /**
   * Nothing is taken off a count; a condition with a `subtractField` leaves children out.
   */
  subtractField?: null;
  /**
   * The number of children.
   */
  type: 'COUNT';
}
/**
 * Whether a field has a value.
 */
export interface EqualsValue {
  /**
   * There is a `value`.
   */
  dynamicValue?: never;
  /**
   * Path of the value of the child that is compared.
   */
  field: FieldPath;
  /**
   * `notEquals` includes children where the field is empty.
   */
  operator: 'equals' | 'notEquals';
  /**
   * Path of an amount that is taken off the value before it is compared.
   */
  subtractField?: FieldPath | null;
  /**
   * What the field is compared with.
   */
  value: Scalar;
}
/**
 * Whether a field is a certain day.
 */
export interface EqualsDay {
  /**
   * What the field is compared with.
   */
  dynamicValue: DynamicDay;
  /**
   * Path of the value of the child that is compared.
   */
  field: FieldPath;
  /**
   * `notEquals` includes children where the field is empty.
   */
  operator: 'equals' | 'notEquals';
  /**
   * Path of an amount that is taken off the value before it is compared.
   */
  subtractField?: FieldPath | null;
  /**
   * There is a `dynamicValue`.
   */
  value?: never;
}
/**
 * Whether a field is greater or less than a value.
 */
export interface OrderedByValue {
  /**
   * There is a `value`.
   */
  dynamicValue?: never;
  /**
   * Path of the value of the child that is compared.
   */
  field: FieldPath;
  /**
   * Never holds for a child where the field is empty.
   */
  operator: 'gt' | 'gte' | 'lt' | 'lte';
  /**
   * Path of an amount that is taken off the value before it is compared.
   */
  subtractField?: FieldPath | null;
  /**
   * What the field is compared with.
   */
  value: string | number;
}
/**
 * Whether a field is before or after a day.
 */
export interface OrderedByDay {
  /**
   * What the field is compared with.
   */
  dynamicValue: DynamicDay;
  /**
   * Path of the value of the child that is compared.
   */
  field: FieldPath;
  /**
   * Never holds for a child where the field is empty.
   */
  operator: 'gt' | 'gte' | 'lt' | 'lte';
  /**
   * Path of an amount that is taken off the value before it is compared.
   */
  subtractField?: FieldPath | null;
  /**
   * There is a `dynamicValue`.
   */
  value?: never;
}
/**
 * One of a list, or none: `notIn` includes children where the field is empty.
 */
export interface ListCondition {
  /**
   * There is a `value`.
   */
  dynamicValue?: never;
  /**
   * Path of the value of the child that is compared.
   */
  field: FieldPath;
  /**
   * `notIn` includes children where the field is empty.
   */
  operator: 'in' | 'notIn';
  /**
   * Path of an amount that is taken off the value before it is compared.
   */
  subtractField?: FieldPath | null;
  /**
   * The list.
   */
  value: Scalar[];
}
/**
 * The sum of the children's values.
 */
export interface SumAggregation {
  /**
   * Path of the value in a child.
   */
  childField: FieldPath;
  /**
   * Path of the currency code that belongs to the value; makes the total an amount of money.
   */
  currencyField?: FieldPath | null;
  /**
   * Further conditions on a child, for this total alone.
   */
  filters?: Condition[] | null;
  /**
   * Field of the parent that receives the total; no two totals may share one.
   */
  parentField: Name;
  /**
   * Path of an amount that is taken off each value, such as what was refunded of a gift.
   */
  subtractField?: FieldPath | null;
  /**
   * The sum.
   */
  type: 'SUM';
}
/**
 * One value made of the children's: their mean, the least or the greatest.
 */
export interface ValueAggregation {
  /**
   * Path of the value in a child.
   */
  childField: FieldPath;
  /**
   * Path of the currency code that belongs to the value; makes the total an amount of money.
   */
  currencyField?: FieldPath | null;
  /**
   * Further conditions on a child, for this total alone.
   */
  filters?: Condition[] | null;
  /**
   * Field of the parent that receives the total; no two totals may share one.
   */
  parentField: Name;
  /**
   * Only a SUM subtracts.
   */
  subtractField?: null;
  /**
   * The mean, the least or the greatest.
   */
  type: 'AVG' | 'MIN' | 'MAX';
}
/**
 * The definitions with the settings: what `rollups.json` holds.
 */
export interface Configuration {
  /**
   * Where this schema is, for editors.
   */
  $schema?: string;
  /**
   * The definitions. Totals of totals are computed in the right order by themselves.
   */
  definitions: Definition[];
  /**
   * Month that the fiscal year begins with, 1 to 12; January if there is none.
   */
  fiscalYearStartMonth?: number;
  /**
   * Whether GraphQL is used, where the server has it.
   */
  graphql?: 'auto' | 'off';
  /**
   * What becomes of a field of money whose amounts are in several currencies.
   */
  mixedCurrency?: MixedCurrency & string;
  /**
   * Plural names of objects, by their singular, for tokens that may not read the metadata.
   */
  objects?: {
    [k: string]: PluralName;
  };
  /**
   * How fast requests are made.
   */
  pacing?: Pacing;
  /**
   * How a rebuild goes about it; what the engine finds best if there is none.
   */
  rebuild?: Rebuild;
  /**
   * IANA time zone that days begin in; UTC if there is none.
   */
  timeZone?: string;
}
/**
 * How fast requests are made.
 */
export interface Pacing {
  /**
   * Requests that a rebuild may open with.
   */
  burst?: number;
  /**
   * Requests that may be under way at once.
   */
  concurrency?: number;
  /**
   * Records a page, at most 200.
   */
  pageSize?: number;
  /**
   * Least time between two requests, in milliseconds.
   */
  pauseMs?: number;
  /**
   * Requests a minute, on average.
   */
  requestsPerMinute?: number;
}
/**
 * The plainest way of rebuilding: each run takes so many parents, and the next one goes on behind them.
 */
export interface Rebuild {
  /**
   * Parents that one run takes.
   */
  parentsPerRun?: number;
}
