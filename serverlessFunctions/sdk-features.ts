/**
 * What the targeted SDK has beyond older ones. The build for older servers puts a file of the same shape in its
 * place (sdk-2.13.0/sdk-features.ts), so nothing else may depend on the SDK's version.
 */

/** Up to 200 record events a run instead of one. */
export const eventDelivery = { batchMode: true };

/** For functions that only hand over to the one with the engine. */
export const startTimeoutSeconds = 60;

/** Computed values: not for people to edit, and no line in the record's timeline at each write. */
export const totalField = { isUIEditable: false, isAuditLogged: false };
