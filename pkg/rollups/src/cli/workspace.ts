// A look whether the workspace is there, before a run. The engine waits patiently for a server that is away, as it has
// until its deadline; a mistyped address should be told at once. Metadata calls are free of Twenty's rate limit.

import { TooLarge, readBounded } from '../read-bounded.js';
import type { Fetch } from './context.js';
import { CliError, EXIT, HINTS } from './outcome.js';
import { type Settings, maxBytesOf } from './settings.js';

const TIMEOUT_MS = 20_000;

const CAUSES: Record<string, string> = {
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

/** An error of the network, as Node's `fetch` has it. */
type NetworkError = Error & { code?: string; cause?: NetworkError; errors?: NetworkError[] };

const reasonOf = (error: NetworkError): string => {
  if (error.name === 'TimeoutError') return 'it does not answer';
  // Of several addresses of one name, each has its own error.
  const cause = error.cause?.errors?.[0] ?? error.cause ?? error;
  return CAUSES[cause.code ?? ''] ?? cause.message;
};

const noWorkspace = (code: string, message: string, hint?: string) => new CliError(EXIT.workspace, code, message, hint);

/** What an answer holds; nothing if that is no JSON. */
async function read(response: Response, url: string, maxBytes: number): Promise<{ messages?: string[] } | undefined> {
  try {
    return JSON.parse(await readBounded(response, maxBytes));
  } catch (error) {
    if (!(error instanceof TooLarge)) return undefined;
    throw noWorkspace('answer_too_large', `${url} does not answer as Twenty does: ${error.message}`, HINTS.answer_too_large);
  }
}

/**
 * @throws {CliError} if the server is not there, is no Twenty, or does not know the token
 */
export async function checkWorkspace(settings: Settings, fetch: Fetch): Promise<void> {
  const { token } = settings;
  const url = String(settings.url);
  const response = await fetch(`${url}/rest/metadata/objects?limit=1`, {
    headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error: NetworkError) => {
    throw noWorkspace('unreachable', `cannot reach ${url}: ${reasonOf(error)}`);
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
