// What a command works with: from its options, else the environment, else the folder it runs in.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { DEFAULT_MAX_RESPONSE_BYTES } from '../read-bounded.js';
import type { Configuration, Definition, RunOptions } from '../index.js';
import type { Engine, Flags, Variables, Host } from './context.js';
import { syntaxFault } from './json-text.js';
import { codeOf, messageOf, usage } from './outcome.js';

/** In the order in which they count; the names are the engine's own. */
const TOKENS = ['TWENTY_APP_APPLICATION_ACCESS_TOKEN', 'TWENTY_API_KEY', 'TWENTY_APP_ACCESS_TOKEN'];
const RATE = 'ROLLUP_ENGINE_REQUESTS_PER_MINUTE';
const CONFIG = 'ROLLUP_ENGINE_CONFIG';
const MAX_RESPONSE_BYTES = 'ROLLUP_ENGINE_MAX_RESPONSE_BYTES';
const SETTINGS = [CONFIG, RATE, MAX_RESPONSE_BYTES];
export const DEFAULT_FILE = 'rollups.json';
/** The engine's own bound. */
const MAX_RATE = 100_000;

export interface Settings {
  url: string | undefined;
  token: string | undefined;
  rate: string | undefined;
  maxResponseBytes: string | undefined;
  /** The configuration, which may be anything yet; none for the built-in definitions. */
  config: unknown;
  /** Where the configuration is from, in words. */
  source: string;
  /** As it was written, for the place of a fault. */
  text?: string;
}

const filled = (text: string | undefined) => text?.trim() || undefined;

/** Secrets that must not be printed, whatever else is wrong with them. */
export const secretsOf = (flags: Flags, env: Variables): string[] =>
  [flags.token, ...TOKENS.map((name) => env[name])].map(filled).filter((text) => text !== undefined);

/** A setting that is filled, and where it stands: by its option, else by its name in the environment. */
const given = (option: string, value: string | undefined, name: string, env: Variables) =>
  filled(value) ? { from: option, text: filled(value) } : { from: name, text: filled(env[name]) };

function addressOf(flags: Flags, env: Variables): string | undefined {
  const { from, text } = given('--url', flags.url, 'TWENTY_API_URL', env);
  return text === undefined ? undefined : checkedAddress(from, text);
}

/**
 * The address of the server, without a trailing slash and without the paths of its API, which some people copy along.
 *
 * @param from the option, variable or question that it was given by
 */
export function checkedAddress(from: string, text: string): string {
  const url = /^https?:\/\/[^/]/i.test(text) && !/[\s\\]/.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  // Neither a name nor a password nor a token is repeated, whatever else is wrong with the address.
  if (text.includes('@')) {
    throw usage('invalid_url', `${from}: the address holds a name or a password`, 'Give the token by TWENTY_API_KEY instead.');
  }
  if (/[?#]/.test(text)) throw usage('invalid_url', `${from}: the address holds a query`, `It looks like ${url?.origin ?? EXAMPLE}`);
  if (!url) throw usage('invalid_url', `${from}: \`${text}\` is no address of a server`, hintFor(text));
  return text.replace(/\/+$/, '').replace(/\/(rest(\/.*)?|graphql|metadata)$/, '').replace(/\/+$/, '');
}

const EXAMPLE = 'https://crm.example.org';

/** What was probably meant by an address without a scheme, or with a wrong one. */
function hintFor(text: string): string {
  const [, scheme, rest = ''] = /^(?:([a-z][a-z0-9+.-]*):(?!\d))?[/\\]*(.*)$/i.exec(text) ?? [];
  const host = rest.replace(/[/\\].*$/, '');
  const isHost = /^(\[[0-9a-f:]+\]|[a-z0-9-]+(\.[a-z0-9-]+)*)(:\d+)?$/i.test(host);
  const isLocal = /^(localhost|127\.|\[|[\d.]+(:|$))/i.test(host);
  const meant = isHost && (isLocal || host.includes('.')) ? `Did you mean ${isLocal ? 'http' : 'https'}://${host}?` : `It looks like ${EXAMPLE}`;
  return scheme && !/^https?$/i.test(scheme) ? `It begins with \`${scheme}:\`, expected https:// or http://. ${meant}` : meant;
}

function tokenOf(flags: Flags, env: Variables): string | undefined {
  const given = [{ from: '--token', token: flags.token }, ...TOKENS.map((name) => ({ from: name, token: env[name] }))];
  const tokens = given.flatMap(({ from, token }) => (filled(token) ? [{ from, token: String(filled(token)) }] : []));
  return tokens.map(({ from, token }) => checkedToken(from, token))[0];
}

/** @param from the option, variable or question that it was given by */
export function checkedToken(from: string, token: string): string {
  if (!/[^\x21-\x7e]|["\\]/.test(token)) return token;
  throw usage('invalid_token', `${from}: the token has a space, a line break or another letter that no token has`);
}

function rateOf(flags: Flags, env: Variables): string | undefined {
  const { from, text } = given('--requests-per-minute', flags.requestsPerMinute, RATE, env);
  if (text === undefined || text.toLowerCase() === 'off') return text?.toLowerCase();
  if (!/^\d+$/.test(text) || Number(text) < 1 || Number(text) > MAX_RATE) {
    throw usage('invalid_rate', `${from}: \`${text}\` requests a minute, expected a whole number from 1 to ${MAX_RATE}, or off`);
  }
  return text;
}

/** The largest answer that is read, in bytes, as text; nothing if none is set. */
function maxResponseBytesOf(env: Variables): string | undefined {
  const text = filled(env[MAX_RESPONSE_BYTES]);
  if (text !== undefined && !(/^[1-9]\d*$/.test(text) && Number(text) < 2 ** 32)) {
    throw usage('invalid_size', `\`${text}\` in ${MAX_RESPONSE_BYTES}: expected a whole number of bytes from 1`);
  }
  return text;
}

/** The text of a file, or nothing if there is none and none was asked for. */
export function read(path: string, required: boolean): string | undefined {
  try {
    // Some editors put a mark before the text that JSON does not know.
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    if (!required && codeOf(error) === 'ENOENT') return undefined;
    throw usage('unreadable_file', `cannot read \`${path}\`: ${codeOf(error) === 'ENOENT' ? 'there is no such file' : messageOf(error)}`);
  }
}

export function parsed(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw usage('invalid_json', `${source} is not JSON: ${syntaxFault(text)}`);
  }
}

/** The configuration and where it is from; without one the built-in definitions count. */
function configOf(flags: Flags, { env, folder }: Host): Pick<Settings, 'config' | 'source' | 'text'> {
  const from = (source: string, text: string) => ({ config: parsed(text, source), source, text });
  if (flags.config) return from(flags.config, String(read(resolve(folder, flags.config), true)));
  const variable = filled(env[CONFIG]);
  if (variable) return from(CONFIG, variable);
  const file = read(resolve(folder, DEFAULT_FILE), false);
  if (file !== undefined) return from(DEFAULT_FILE, file);
  return { config: undefined, source: 'the built-in definitions' };
}

/** How many letters have to be changed, added or taken away to make one name of the other. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let index = 1; index <= one.length; index += 1) {
    const next = [index];
    for (let at = 1; at <= other.length; at += 1) {
      const changed = row[at - 1]! + Number(one[index - 1] !== other[at - 1]);
      next.push(Math.min(changed, row[at]! + 1, next[at - 1]! + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** Of names that look like a setting and are none, a line each with the setting that may be meant. */
export const unknownSettings = (env: Variables): string[] =>
  Object.keys(env)
    .filter((name) => /^ROLLUP_ENGINE_/i.test(name) && !SETTINGS.includes(name))
    .map((name) => {
      const [nearest] = SETTINGS.toSorted((one, other) => distance(name.toUpperCase(), one) - distance(name.toUpperCase(), other));
      return `\`${name}\` is no setting; the nearest is \`${nearest}\``;
    });

/** @throws {CliError} for what is there and not as it should be */
export const readSettings = (flags: Flags, host: Host): Settings => ({ ...readConnection(flags, host), ...configOf(flags, host) });

/** The settings without the configuration, for a command that is about to make one. */
export const readConnection = (flags: Flags, { env }: Host): Omit<Settings, 'config' | 'source' | 'text'> => ({
  url: addressOf(flags, env),
  token: tokenOf(flags, env),
  rate: rateOf(flags, env),
  maxResponseBytes: maxResponseBytesOf(env),
});

/** The same, for a command that cannot do without a workspace. */
export function requireWorkspace(settings: Settings): Settings {
  if (!settings.url) {
    throw usage('missing_url', 'no workspace: the address of the Twenty server is missing', 'Set TWENTY_API_URL, or give --url.');
  }
  if (!settings.token) {
    throw usage(
      'missing_token',
      'no token: an API key of the workspace is missing',
      'Make one in Twenty under Settings → API & Webhooks and set TWENTY_API_KEY.',
    );
  }
  return settings;
}

/** The options of the engine that these settings are. */
export const engineOptions = ({ url, token, rate, maxResponseBytes, config }: Settings): RunOptions => ({
  ...(url && { apiUrl: url }),
  ...(token && { token }),
  // `off` is known to the variable alone, and the size to nothing else.
  ...((rate || maxResponseBytes) && {
    env: { ...(rate && { [RATE]: rate }), ...(maxResponseBytes && { [MAX_RESPONSE_BYTES]: maxResponseBytes }) },
  }),
  // What is wrong with it, the engine says.
  ...(config !== undefined && { config: config as Configuration }),
});

/** The largest answer that is read, in bytes. */
export const maxBytesOf = ({ maxResponseBytes }: Settings): number => Number(maxResponseBytes ?? DEFAULT_MAX_RESPONSE_BYTES);

/** The definitions of a configuration, in either of its forms; for the built-in ones none. */
export const definitionsOf = (config: unknown): Partial<Definition>[] =>
  Array.isArray(config) ? config : ((config as Partial<Configuration> | undefined)?.definitions ?? []);

/** The configuration that counts: where there is none, the built-in definitions. */
export const configurationOf = ({ config }: Settings, engine: Pick<Engine, 'builtInDefinitions'>): Configuration =>
  config === undefined || Array.isArray(config) ? { definitions: (config as Definition[] | undefined) ?? engine.builtInDefinitions() } : (config as Configuration);
