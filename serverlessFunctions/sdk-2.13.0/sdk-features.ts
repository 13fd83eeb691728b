/**
 * What SDK 2.13 has: record events come one a run, no function can queue another, and a field cannot be kept out of the
 * timeline.
 */

/** One record event a run: servers before 2.40 know no batches. */
export const eventDelivery = {};

/** The longest that Twenty allows: functions that cannot hand over to the one with the engine run it themselves. */
export const startTimeoutSeconds = 900;

/** Computed values: not for people to edit. */
export const totalField = { isUIEditable: false };
