// A look whether the workspace is there, before a run. The engine waits patiently for a server that is away, as it has
// until its deadline; a mistyped address should be told at once. Metadata calls are free of Twenty's rate limit.

import { TooLarge, readBounded } from '../../read-bounded.js';
import { EXIT, Ending, HINTS } from './outcome.mjs';
import { maxBytesOf } from './settings.mjs';

const PATIENCE_MS = 20_000;

const CAUSES = {
  ENOTFOUND: 'there is no server of that name',
  EAI_AGAIN: 'its name cannot be looked up just now',
  ECONNREFUSED: 'nothing answers there',
  ECONNRESET: 'it broke the connection off',
  ETIMEDOUT: 'it does not answer',
  UND_ERR_CONNECT_TIMEOUT: 'it does not answer',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed (NODE_EXTRA_CA_CERTS names one to be trusted)',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is self-signed (NODE_EXTRA_CA_CERTS names one to be trusted)',
};

const why = (error) => {
  if (error.name === 'TimeoutError') return 'it does not answer';
  // Of several addresses of one name, each has its own error.
  const cause = error.cause?.errors?.[0] ?? error.cause ?? error;
  return CAUSES[cause.code] ?? cause.message;
};

const noWorkspace = (code, message, hint) => new Ending(EXIT.workspace, code, message, hint);

/** What an answer holds; nothing if that is no JSON. */
async function read(response, url, maxBytes) {
  try {
    return JSON.parse(await readBounded(response, maxBytes));
  } catch (error) {
    if (!(error instanceof TooLarge)) return undefined;
    throw noWorkspace('answer_too_large', `${url} does not answer as Twenty does: ${error.message}`, HINTS.answer_too_large);
  }
}

/**
 * @throws {Ending} if the server is not there, is no Twenty, or does not know the token
 */
export async function seeWorkspace(settings, fetch) {
  const { url, token } = settings;
  const response = await fetch(`${url}/rest/metadata/objects?limit=1`, {
    headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
    signal: AbortSignal.timeout(PATIENCE_MS),
  }).catch((error) => {
    throw noWorkspace('unreachable', `cannot reach ${url}: ${why(error)}`);
  });
  const { status } = response;
  const answer = await read(response, url, maxBytesOf(settings));
  const said = answer?.messages?.[0] ?? '';
  // Twenty answers 403 to a revoked key, and also to one whose role may not read the data model.
  if (status === 401 || (status === 403 && /revoked|expired|missing/i.test(said))) {
    throw noWorkspace(
      'unauthorized',
      `${url} does not accept the token: ${said || status}`,
      'It may have expired, have been revoked, or belong to another workspace.',
    );
  }
  if (status >= 500) throw noWorkspace('server_error', `${url} answers with an error of its own (${status})`);
  if (typeof answer !== 'object') {
    throw noWorkspace('malformed_answer', `what answers at ${url} is not Twenty's API`, 'Expected is the address of the server itself, without a path.');
  }
  // Anything else, such as a token that may not read the data model, the engine knows how to live with.
}
