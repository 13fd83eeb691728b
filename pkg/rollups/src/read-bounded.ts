// A reply as text, if it is no larger than it may be: past that it is not read on.

/** The largest reply that is read where nothing else is set, in bytes. */
export const DEFAULT_MAX_RESPONSE_BYTES = 32 * 1024 * 1024;

export class TooLarge extends Error {
  constructor(maxBytes) {
    super(`the answer is larger than ${maxBytes} bytes`);
  }
}

/**
 * @param {Response} response
 * @param {number} maxBytes
 * @returns {Promise<string>}
 * @throws {TooLarge} for a larger one
 */
export async function readBounded(response, maxBytes) {
  const chunks = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > maxBytes) throw new TooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
