// The types of the library. Those of a configuration are made of the engine's own: see configuration.ts.

import type { Configuration, Definition } from './configuration.js';

export type * from './configuration.js';

/** The variables that the engine reads; an object with these, such as `process.env`, may hold any others. */
export interface Environment {
  TWENTY_API_URL?: string | undefined;
  TWENTY_APP_APPLICATION_ACCESS_TOKEN?: string | undefined;
  TWENTY_API_KEY?: string | undefined;
  TWENTY_APP_ACCESS_TOKEN?: string | undefined;
  ROLLUP_ENGINE_CONFIG?: string | undefined;
  ROLLUP_ENGINE_REQUESTS_PER_MINUTE?: string | undefined;
  /** The largest reply that is read, in bytes. */
  ROLLUP_ENGINE_MAX_RESPONSE_BYTES?: string | undefined;
}

/** One structured log line; further fields depend on the event. */
export interface LogEvent {
  level: 'debug' | 'info' | 'warn' | 'error';
  event: string;
  [field: string]: unknown;
}

/** Keeps texts between runs, for all runs of a workspace. What throws or rejects counts as a store that has nothing. */
export interface Store {
  get(key: string): Promise<string | null | undefined> | string | null | undefined;
  set(key: string, value: string): unknown;
  delete(key: string): unknown;
}

/** Where a run stopped; small, and of no meaning outside the engine. */
export type Checkpoint = Record<string, unknown>;

/** What may be asked for by name, as a payload or as the body of a request; one at a time, but for `ids`. */
export interface Command {
  /** Recompute whatever may have changed without being told. */
  sweep?: true;
  /** Go on from the `checkpoint` of a report. */
  checkpoint?: Checkpoint;
  /** Say what a rebuild would cost; nothing is written. */
  plan?: true;
  /** Compare everything, or the records of `ids`, and say what would change; nothing is written. */
  dryRun?: true;
  /** Recompute these records, and those above them whose totals depend on theirs; alone or with `dryRun`. */
  ids?: readonly string[];
  /** The object of `ids`, in the singular; if absent, every object that knows such a record. */
  parentObject?: string;
  /** Say how the totals of one parent come about; nothing is written. */
  explain?: { parentObject: string; id: string };
  /** Say how things stand, by what the last runs have left in the store; nothing is asked of the workspace. */
  health?: true;
}

export interface RunOptions {
  /** Read for the names of {@link Environment} and no others; the options below go over it. */
  env?: Environment;
  /** Address of the Twenty server. */
  apiUrl?: string;
  /** An API key, or an app's token. */
  token?: string;
  /** The definitions, with or without settings, as an object or as JSON text; if absent, the built-in ones. */
  config?: Configuration | readonly Definition[] | string;
  requestsPerMinute?: number;
  /** Time that the run may take; it stops cleanly before that, as `partial`. */
  timeLimitSeconds?: number;
  /** The definitions to run, by number from 0, with those whose totals they read; if absent, all of them. */
  only?: readonly number[];
  /** Sends the requests instead of the runtime's `fetch`; must honour the `signal` that it is handed. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Takes the log lines instead of the console. */
  log?: (event: LogEvent) => void;
  /** Where the run leaves what the next one can use. Without it each run simply knows less. */
  store?: Store;
  /**
   * Has another run start with this payload after so many milliseconds; answers whether the queue took it on. With it a
   * run that cannot finish is gone on with by itself.
   */
  enqueue?: (payload: Command, delayMs: number) => Promise<boolean> | boolean;
}

/** What a run was to do. */
export type Mode = 'full-rebuild' | 'targeted' | 'sweep' | 'plan' | 'dry-run' | 'explain' | 'health';

/** Counts of parents; one that several definitions write to counts once. */
export interface RunTotals {
  /** Parents whose totals were computed and compared. */
  processed: number;
  /** Parents that Twenty has confirmed as written. */
  updated: number;
  /** Parents that were right already. */
  unchanged: number;
  /** Those of the updated that have no child left. */
  reset: number;
  /** Parents that could not be written, or whose total is not known. */
  failed: number;
  /** Parents with amounts in several currencies. */
  mixedCurrency: number;
}

/** A definition, or one of its aggregations, that was left out. */
export interface Skipped {
  definition: number;
  /** The aggregation, if the rest of the definition runs. */
  aggregation: number | null;
  /**
   * Stable name of the reason: `not_in_workspace`, `invalid_value` (a condition compares a field with a value that it cannot
   * have), `missing_field` (the records do not have it), `incomplete_reading`, or the code of an error.
   */
  code: string;
  reason: string;
}

export interface RequestCounts {
  /** Requests sent, repetitions included. */
  total: number;
  /** Those of them that the rate limiter does not count. */
  unmetered: number;
  /** Tokens of the rate limiter that they asked for: one each, or one for each root field of a GraphQL call. */
  tokens: number;
  /** Answers that said the rate limit was reached. */
  throttled: number;
  /** Requests sent again. */
  retried: number;
  /** Time spent waiting, added up over concurrent calls. */
  waitedMs: number;
  /** Bytes of all replies. */
  bytes: number;
  /** Records in all replies. */
  records: number;
  /** By method and path, record ids left out: `GET /rest/gifts`. */
  byEndpoint: Record<string, number>;
}

/** Counts of one definition. */
export interface DefinitionCounts {
  parentObject: string;
  childObject: string;
  relationField: string;
  processed: number;
  updated: number;
}

/** A parent with amounts in several currencies. */
export interface MixedCurrencyParent {
  parentObject: string;
  id: string;
  field: string;
  /** An empty text stands for amounts without a currency. */
  currencies: string[];
}

/** A parent that is not right. */
export interface Failure {
  parentObject: string;
  id: string;
  message: string;
}

/** How the children of a definition are read. */
export type Reading = 'group-by' | 'scan' | 'slices';

/** What one definition costs. */
export interface DefinitionPlan {
  definition: number;
  parentObject: string;
  childObject: string;
  reading: Reading;
  /** Requests for its groups; none where the children are read for several definitions. */
  reads: number;
  why: string;
}

/** What a run was expected to cost, and what it has. */
export interface Plan {
  /** `group-by` if any definition goes that way. */
  reading: Reading | null;
  /** Requests to read and compare everything. */
  reads: number;
  /** Requests to write, if every parent differs. */
  writesAtMost: number;
  /** Seconds that both take at least, waiting for the rate limit included. */
  seconds: number;
  /** Seconds that they take on a server that needs a second for each write of 200 parents. */
  secondsAtMost: number;
  why: string;
  /** Records by object; null for one that cannot be read. */
  counts: Record<string, number | null>;
  definitions: DefinitionPlan[];
  /** Requests by their purpose. */
  spent: { reads: number; writes: number; rechecks: number };
}

/** Stored totals that were wrong. */
export interface Drift {
  /** Parents with a wrong value. */
  parents: number;
  values: number;
  /** Wrong values by field: `person.lifetimeGiftAmount`. */
  fields: Record<string, number>;
  /** The first twenty. */
  examples: DriftExample[];
  /** End of the last complete comparison, after which they went wrong, where a store remembers it. */
  since: string | null;
}

/** A stored total that was wrong. */
export interface DriftExample {
  parentObject: string;
  id: string;
  field: string;
  stored: Total;
  computed: Total;
}

/** A child of an explained parent. */
export interface ExplainedChild {
  id: string;
  counted: boolean;
  /** Why it is not counted. */
  why: string | null;
  /** Totals that it does not count for, although it counts for others. */
  leftOutOf: { parentField: string; why: string }[];
}

/** A total of an explained parent. */
export interface ExplainedTotal {
  parentField: string;
  stored: Total;
  /** A text where there is no total: several currencies, or a value that is no number. */
  computed: Total;
  /** Whether a rebuild would leave it as it is; null where no value is the right one, as in several currencies. */
  right: boolean | null;
}

/** How the totals of one parent come about. */
export interface Explanation {
  parentObject: string;
  id: string;
  /** Whether there is such a parent. */
  found: boolean;
  definitions: {
    definition: number;
    childObject: string;
    relationField: string;
    children: ExplainedChild[];
    totals: ExplainedTotal[];
  }[];
}

/** What a store has kept of a run, as the platform may lose its report. */
export interface KeptRun {
  /** When it ended. */
  at: string;
  status: 'ok' | 'partial' | 'error';
  code: string | null;
  message: string | null;
  /** Since when runs of its kind do not end `ok`. */
  partialSince: string | null;
  continued: boolean;
  totals: RunTotals;
  /** The first twenty. */
  skipped: Skipped[];
  skippedCount: number;
  drift: Pick<Drift, 'parents' | 'values' | 'fields'> | null;
  requestId: string | null;
}

/** How things stand, going by what the last runs have left. */
export interface Health {
  /** What somebody should look at; nothing if all is well. */
  problems: { code: string; message: string }[];
  rebuild: KeptRun | null;
  sweep: KeptRun | null;
  /** The last run on events that did not end well. */
  events: KeptRun | null;
  /** The last run that a function of the app could not hand to the queue. */
  handOver: { at: string; function: string; why: string; count: number } | null;
  /** End of the last complete comparison. */
  compared: string | null;
}

export interface Run {
  mode: Mode | null;
  tookMs: number;
  totals: RunTotals;
  skipped: Skipped[];
  requests: RequestCounts;
  /** In the order of the configuration. */
  details: DefinitionCounts[];
  /** The first hundred. */
  mixedCurrency: MixedCurrencyParent[];
  /** The first hundred. */
  failures: Failure[];
  notes: string[];
  /** Where a next run can go on; null for a run that is complete. */
  checkpoint: Checkpoint | null;
  /** Whether the rest was handed to a run that follows by itself. */
  continued: boolean;
  /** For rebuilds, sweeps and plans. */
  plan: Plan | null;
  /** For rebuilds and sweeps: what was wrong, and is right since; for a dry run, what is wrong. */
  drift: Drift | null;
  explanation: Explanation | null;
  health: Health | null;
  /** Id of the call that caused the run, if it had one. */
  requestId: string | null;
}

/** All named parents are right, or there was nothing to do. */
export interface CompleteReport extends Run {
  status: 'ok' | 'noop';
  code: null;
  message: null;
}

/** Some parents are not right: the time ran out, or Twenty refused some of them. */
export interface PartialReport extends Run {
  status: 'partial';
  code: string | null;
  message: string | null;
}

/** Nothing could be done, or not what was asked. The code `engine_trap` comes without anything else. */
export interface ErrorReport extends Partial<Run> {
  status: 'error';
  code: string;
  message: string;
}

/** What a run did. */
export type Report = CompleteReport | PartialReport | ErrorReport;

/** A record of the children, as Twenty returns it; of whatever type a program has for it. */
export type ChildRecord = object;

export interface TotalsOptions {
  /** The moment of the computation; the clock's, if absent. */
  now?: Date | string;
  /** IANA time zone that days begin in; UTC if absent. */
  timeZone?: string;
  /** Month that the fiscal year begins with, 1 to 12; January if absent. */
  fiscalYearStartMonth?: number;
}

/** An amount of money as Twenty stores it. */
export interface Money {
  amountMicros: number | null;
  currencyCode: string | null;
}

export type Total = number | string | Money | null;

/** Something in a configuration that is not as it should be. */
export interface Fault {
  /** Where: `definition 2, aggregation 0, parentField`. */
  place: string;
  /** What is wrong, and what was expected. */
  message: string;
}

export interface Validation {
  valid: boolean;
  errors: Fault[];
  /** How many definitions there are, if nothing is wrong. */
  definitions: number;
}

/** A field that a total is to be written to, and that a workspace does not have. */
export interface MissingField {
  /** Object that lacks it: `person`. */
  object: string;
  /** Its name; of a relation without the `Id` of its column. */
  field: string;
  /** Label, where the definition gives one. */
  label: string | null;
  /** What it has to be, as Twenty calls it: `CURRENCY`; absent where neither the definition nor the workspace tells. */
  type?: string;
  /** Values of a `SELECT` or a `MULTI_SELECT`. */
  options?: string[];
  /** Object that a relation leads to. */
  target?: string;
}

export interface MissingFields {
  fields: MissingField[];
  /** What is wrong with the configuration, in which case nothing else is told. */
  errors: Fault[];
}

/** A mistake in a call: an unknown option, or a value of the wrong kind; or `engine_trap`, a fault of the engine. */
export interface RollupsError extends Error {
  code: string;
}

/** What every entry of the library exports: see `node.ts`. */
export interface Rollups {
  calculateRollups(payload?: unknown, options?: RunOptions): Promise<Report>;
  computeTotals(definition: Definition, records: readonly ChildRecord[] | string, options?: TotalsOptions): Record<string, Total>;
  validateDefinitions(configuration: unknown): Validation;
  /** @param metadata what `/rest/metadata/objects` answers with */
  missingFields(configuration: unknown, metadata: object): MissingFields;
  builtInDefinitions(): Definition[];
}
