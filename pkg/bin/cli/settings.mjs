// What a command works with: from its options, else the environment, else the folder it runs in.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { usage } from './outcome.mjs';

/** In the order in which they count; the names are the engine's own. */
const TOKENS = ['TWENTY_APP_APPLICATION_ACCESS_TOKEN', 'TWENTY_API_KEY', 'TWENTY_APP_ACCESS_TOKEN'];
const RATE = 'ROLLUP_ENGINE_REQUESTS_PER_MINUTE';
const USUAL_FILE = 'rollups.json';

const filled = (text) => text?.trim() || undefined;

/** Secrets that must not be printed, whatever else is wrong with them. */
export const secretsOf = (flags, env) => [flags.token, ...TOKENS.map((name) => env[name])].map(filled).filter(Boolean);

/** The address without a trailing slash and without `/rest`, which some people copy along. */
function addressOf(flags, env) {
  const text = filled(flags.url) ?? filled(env.TWENTY_API_URL);
  if (!text) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    throw usage('invalid_url', `\`${text}\` is no address of a server`, 'It looks like https://crm.example.org');
  }
  if (url.username || url.password) {
    throw usage('invalid_url', 'the address holds a name or a password', 'Give the token by TWENTY_API_KEY instead.');
  }
  return text.replace(/\/+$/, '').replace(/\/rest$/, '').replace(/\/+$/, '');
}

function tokenOf(flags, env) {
  const token = filled(flags.token) ?? TOKENS.map((name) => filled(env[name])).find(Boolean);
  if (token && /[^\x21-\x7e]|["\\]/.test(token)) {
    throw usage('invalid_token', 'the token has a space, a line break or another letter that no token has');
  }
  return token;
}

function rateOf(flags, env) {
  const text = filled(flags.requestsPerMinute) ?? filled(env[RATE]);
  if (text !== undefined && text !== 'off' && !/^[1-9]\d*$/.test(text)) {
    throw usage('invalid_rate', `\`${text}\` requests a minute: expected a whole number from 1, or off`);
  }
  return text;
}

/** The text of a file, or nothing if there is none and none was asked for. */
function read(path, required) {
  try {
    // Some editors put a mark before the text that JSON does not know.
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    if (!required && error.code === 'ENOENT') return undefined;
    throw usage('unreadable_file', `cannot read \`${path}\`: ${error.code === 'ENOENT' ? 'there is no such file' : error.message}`);
  }
}

function parsed(text, source) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw usage('invalid_json', `${source} is not JSON: ${error.message}`);
  }
}

/** The configuration and where it is from; without one the built-in definitions count. */
function configOf(flags, { env, folder }) {
  if (flags.config) return { config: parsed(read(resolve(folder, flags.config), true), flags.config), source: flags.config };
  const variable = filled(env.ROLLUP_ENGINE_CONFIG);
  if (variable) return { config: parsed(variable, 'ROLLUP_ENGINE_CONFIG'), source: 'ROLLUP_ENGINE_CONFIG' };
  const file = read(resolve(folder, USUAL_FILE), false);
  if (file !== undefined) return { config: parsed(file, USUAL_FILE), source: USUAL_FILE };
  return { config: undefined, source: 'the built-in definitions' };
}

/**
 * @returns {{ url?: string, token?: string, rate?: string, config?: unknown, source: string }}
 * @throws {import('./outcome.mjs').Ending} for what is there and not as it should be
 */
export const settingsOf = (flags, world) => ({
  url: addressOf(flags, world.env),
  token: tokenOf(flags, world.env),
  rate: rateOf(flags, world.env),
  ...configOf(flags, world),
});

/** The same, for a command that cannot do without a workspace. */
export function requireWorkspace(settings) {
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
export const engineOptions = ({ url, token, rate, config }) => ({
  apiUrl: url,
  token,
  // `off` is known to the variable alone.
  ...(rate && { env: { [RATE]: rate } }),
  ...(config !== undefined && { config }),
});

/** The definitions of a configuration, in either of its forms; for the built-in ones none. */
export const definitionsOf = (config) => (Array.isArray(config) ? config : (config?.definitions ?? []));
