/**
 * What SDK 2.13 has: record events come one a run, and a field cannot be kept out of the timeline.
 */

/** One record event a run: servers before 2.40 know no batches. */
export const eventDelivery = {};

/** Computed values: not for people to edit. */
export const totalField = { isUIEditable: false };
