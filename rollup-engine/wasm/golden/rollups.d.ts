/* tslint:disable */
/* eslint-disable */

export function __wbg_reset_state(): void;

/**
 * The built-in definitions, which run where nothing is configured
 *
 * # Errors
 *
 * The runtime cannot make objects.
 */
export function built_in_definitions(): object[];

/**
 * Recomputes what the payload asks for, and answers with the report of the run
 *
 * # Errors
 *
 * The payload is no plain data, or an option is unknown or of the wrong kind.
 */
export function calculate_rollups(payload: any, options: any): Promise<object>;

/**
 * The totals of one parent, by field, from all its children: no network
 *
 * # Errors
 *
 * The definition, the records or an option is not as it should be.
 */
export function compute_totals(definition: any, records: any, options: any): object;

/**
 * The fields that a configuration, or a list of definitions, writes to and that a workspace lacks
 *
 * # Errors
 *
 * One of the two is no plain data.
 */
export function missing_fields(configuration: any, metadata: any): object;

export function start(): void;

/**
 * What is wrong with a configuration, or with a list of definitions
 *
 * # Errors
 *
 * It is no plain data.
 */
export function validate_definitions(configuration: any): object;
