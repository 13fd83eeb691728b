// A look whether the workspace is there, before a run. The engine waits patiently for a server that is away, as it has
// until its deadline; a mistyped address should be told at once. Metadata calls are free of Twenty's rate limit.

import { TooLarge, readBounded } from '../read-bounded.js';
import type { Fetch } from './context.js';
import { CliError, EXIT, HINTS } from './outcome.js';
import { type Settings, maxBytesOf } from './settings.js';

const TIMEOUT_MS = 20_000;
const PROBE_TIMEOUT_MS = 5_000;
const MAX_PROBE_BYTES = 1_000_000;

const CAUSES: Record<string, string> = {
  ENOTFOUND: 'there is no server of that name',
  EAI_AGAIN: 'its name cannot be looked up just now',
  ECONNREFUSED: 'nothing answers there',
  ECONNRESET: 'it broke the connection off',
  ETIMEDOUT: 'it does not answer',
  UND_ERR_CONNECT_TIMEOUT: 'it does not answer',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_SSL_WRONG_VERSION_NUMBER: 'what answers there does not speak https',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'what answers there does not speak https',
  EPROTO: 'what answers there does not speak https',
  UND_ERR_SOCKET: 'it broke the connection off',
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
async function read(response: Response, url: string, maxBytes: number): Promise<{ messages?: string[]; message?: string } | undefined> {
  try {
    return JSON.parse(await readBounded(response, maxBytes));
  } catch (error) {
    if (!(error instanceof TooLarge)) return undefined;
    throw noWorkspace('answer_too_large', `${url} does not answer as Twenty does: ${error.message}`, HINTS.answer_too_large);
  }
}

const PROBE = '/rest/metadata/objects?limit=1';

/** The address under which Twenty answers, where it does not under the one given: by the other scheme, or without a path. */
async function addressMeant(given: string, fetch: Fetch): Promise<string | undefined> {
  const { protocol, host, origin } = new URL(given);
  const other = `${protocol === 'https:' ? 'http:' : 'https:'}//${host}`;
  for (const url of new Set([origin, other])) {
    if (url !== given && (await isTwenty(url, fetch))) return url;
  }
  return undefined;
}

/** Whether Twenty's API answers there. The token goes only to the address that the user gave. */
async function isTwenty(url: string, fetch: Fetch): Promise<boolean> {
  try {
    const response = await fetch(url + PROBE, { redirect: 'manual', headers: { accept: 'application/json' }, signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    const answer = JSON.parse(await readBounded(response, MAX_PROBE_BYTES));
    return (Array.isArray(answer?.messages) && response.status !== 404) || Array.isArray(answer?.data?.objects ?? answer?.data);
  } catch {
    return false;
  }
}

/** Where a redirect leads to, as the address of a server. */
function redirectedTo(response: Response, url: string): string | undefined {
  const location = response.headers.get('location');
  if (response.status < 300 || response.status > 399 || !location || !URL.canParse(location, url)) return undefined;
  return new URL(location, url).href.replace(/\/rest\/metadata\/objects.*$/, '');
}

/**
 * @throws {CliError} if the server is not there, is no Twenty, or does not know the token
 */
export async function checkWorkspace(settings: Settings, fetch: Fetch): Promise<void> {
  const { token } = settings;
  const url = String(settings.url);
  const response = await fetch(url + PROBE, {
    headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
    // The engine follows none: a token must not travel to where an answer points.
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch(async (error: NetworkError) => {
    const meant = await addressMeant(url, fetch);
    throw noWorkspace('unreachable', `cannot reach ${url}: ${reasonOf(error)}`, meant && `Twenty answers at ${meant}: give that address.`);
  });
  const { status } = response;
  const target = redirectedTo(response, url);
  if (target) throw noWorkspace('malformed_answer', `${url} sends its callers on to ${target}`, `If that is your server, give that address.`);
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
    const meant = await addressMeant(url, fetch);
    const hint = meant ? `Twenty answers at ${meant}: give that address.` : 'Expected is the address of the server itself, without a path.';
    throw noWorkspace('malformed_answer', `what answers at ${url} is not Twenty's API`, hint);
  }
  if (status === 404) {
    const meant = await addressMeant(url, fetch);
    if (meant) throw noWorkspace('malformed_answer', `there is no Twenty at ${url}`, `Twenty answers at ${meant}: give that address.`);
  }
  // Anything else, such as a token that may not read the data model, the engine knows how to live with.
}

/** An object of the workspace, as far as totals have to do with it. */
export interface ObjectMetadata {
  name: string;
  plural: string;
  fields: FieldMetadata[];
}

export interface FieldMetadata {
  /** As in records: a relation by the field that holds the id. */
  name: string;
  type: string;
  isCustom: boolean;
  /** The object that a relation leads to. */
  target?: string | undefined;
}

const PAGE = 200;

/**
 * The objects and fields of the workspace.
 *
 * @throws {CliError} if the token may not read them
 */
export async function readMetadata(settings: Settings, fetch: Fetch): Promise<ObjectMetadata[]> {
  return (await readObjects(settings, fetch)).filter(isActive).map(objectOf);
}

/**
 * The objects and fields of the workspace as Twenty answers with them, also those that are deactivated.
 *
 * @throws {CliError} if the token may not read them
 */
export async function readObjects(settings: Settings, fetch: Fetch): Promise<MetadataObject[]> {
  const objects: MetadataObject[] = [];
  for (let after: string | undefined; ; ) {
    const query = new URLSearchParams({ limit: String(PAGE), ...(after && { starting_after: after }) });
    const response = await fetch(`${settings.url}/rest/metadata/objects?${query}`, {
      headers: { authorization: `Bearer ${settings.token}`, accept: 'application/json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answer: MetadataAnswer | undefined = await read(response, String(settings.url), maxBytesOf(settings));
    if (response.status === 401 || response.status === 403) {
      throw noWorkspace('forbidden', `the token may not read the data model: ${answer?.messages?.[0] ?? response.status}`, HINTS.forbidden);
    }
    const data = answer?.data;
    const page = Array.isArray(data) ? data : data?.objects;
    if (!Array.isArray(page)) throw noWorkspace('malformed_answer', `${settings.url} does not answer with its data model (${response.status})`);
    objects.push(...page);
    const next = answer?.pageInfo?.hasNextPage ? answer.pageInfo.endCursor : undefined;
    if (!next || next === after) return objects;
    after = next;
  }
}

/** A field to be made, as Twenty's metadata API takes it. */
export interface NewField {
  objectMetadataId: string;
  type: string;
  name: string;
  label: string;
  [more: string]: unknown;
}

/**
 * Makes a field in the data model of the workspace.
 *
 * @throws {CliError} if the token may not, or Twenty refuses the field
 */
export async function createField(settings: Settings, fetch: Fetch, field: NewField, name: string): Promise<void> {
  const response = await fetch(`${settings.url}/rest/metadata/fields`, {
    method: 'POST',
    headers: { authorization: `Bearer ${settings.token}`, accept: 'application/json', 'content-type': 'application/json' },
    body: JSON.stringify(field),
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error: NetworkError) => {
    throw noWorkspace('unreachable', `${name}: cannot reach ${settings.url}: ${reasonOf(error)}`);
  });
  if (response.ok) return;
  const answer = await read(response, String(settings.url), maxBytesOf(settings));
  const said = answer?.messages?.[0] ?? answer?.message ?? response.status;
  if (response.status === 401 || response.status === 403) {
    throw noWorkspace('forbidden', `the token may not change the data model: ${said}`, 'Give an API key whose role may, such as an admin\'s.');
  }
  throw new CliError(response.status >= 500 ? EXIT.workspace : EXIT.wrong, 'refused', `${name} could not be made: ${said}`);
}

interface MetadataAnswer {
  messages?: string[];
  data?: MetadataObject[] | { objects?: MetadataObject[] };
  pageInfo?: { hasNextPage?: boolean; endCursor?: string };
}

export interface MetadataObject {
  id?: string;
  nameSingular?: string;
  namePlural?: string;
  isActive?: boolean;
  fields?: MetadataField[];
}

interface MetadataField {
  name?: string;
  type?: string;
  isActive?: boolean;
  isCustom?: boolean;
  settings?: { relationType?: string; joinColumnName?: string | null } | null;
  relation?: { type?: string; targetObjectMetadata?: { nameSingular?: string } } | null;
}

const isActive = ({ isActive }: { isActive?: boolean }) => isActive !== false;

const objectOf = ({ nameSingular = '', namePlural = '', fields = [] }: MetadataObject): ObjectMetadata => ({
  name: nameSingular,
  plural: namePlural,
  fields: fields.filter(isActive).map(({ name = '', type = '', isCustom, settings, relation }) => ({
    name: settings?.joinColumnName ?? name,
    type,
    isCustom: isCustom === true,
    target: settings?.joinColumnName ? relation?.targetObjectMetadata?.nameSingular : undefined,
  })),
});
