// Made of rollups.test.schema.json by `npm run schema`; not to be edited by hand.

/**
 * A number, a text, a day, null for an empty field, or an amount of money: `12.50 GBP`, or as Twenty returns it.
 */
export type ExpectedTotal = (number | string | null) | ExpectedMoney | NoTotal;

/**
 * What `rollups.test.json` holds: cases for one's own totals.
 */
export interface TestFile {
  /**
   * Where this schema is, for editors.
   */
  $schema?: string;
  /**
   * The cases. `twenty-rollups explain ID --record-test` adds one from a live parent.
   *
   * @minItems 1
   */
  cases: TestCase[];
}
/**
 * One parent on one day.
 */
export interface TestCase {
  /**
   * What the case shows, in words.
   */
  name: string;
  /**
   * Object of the parent, as in the definitions: `person`.
   */
  parentObject: string;
  /**
   * The day on which the totals are computed, in the time zone of the configuration: `2026-11-30`.
   */
  day: string;
  /**
   * The parent's children, by their object: `{"gift": [{"giftDate": "2026-03-05"}]}`. A record is as Twenty returns it; an amount of money may also be written `12.50 GBP`. One with `deletedAt` is not counted, nor is one whose relation field is empty.
   */
  records: {
    [k: string]: {
      [k: string]: unknown;
    }[];
  };
  /**
   * The totals that the records come to, by field of the parent. Fields that are not named are not compared.
   */
  expected: {
    [k: string]: ExpectedTotal;
  };
}
/**
 * An amount of money as Twenty returns it.
 */
export interface ExpectedMoney {
  /**
   * Whole millionths of the currency's unit, as a number or a text.
   */
  amountMicros: number | string | null;
  /**
   * Code of the currency, such as `GBP`; null for a sum over no records.
   */
  currencyCode: string | null;
}
/**
 * There is no total: amounts in several currencies, or values that cannot be added up.
 */
export interface NoTotal {
  /**
   * Always true.
   */
  noTotal: true;
}
