// The settings of a command: the environment, with what its options say in place of it.

import { usage } from '../../rollups/cli/outcome.js';
import type { Environment } from '../index.js';
import { addressOf, restUrlOf, tokenOf } from '../twenty.js';
import type { Context, Flags } from './context.js';

const SECRET = /TOKEN|KEY|SECRET/;

/** An option counts as the first of the names that it stands for. */
export const environmentOf = ({ url, token }: Flags, env: Context['env']): Context['env'] => ({
  ...env,
  ...(url !== undefined && { TWENTY_API_BASE_URL: url }),
  ...(token !== undefined && { TWENTY_APP_APPLICATION_ACCESS_TOKEN: token }),
});

/** Secrets that must not be printed, whatever else is wrong with them. */
export const secretsIn = (flags: Flags, env: Context['env']): string[] =>
  [...Object.keys(env).filter((name) => SECRET.test(name)).map((name) => env[name]), flags.secret]
    .map((text) => text?.trim() ?? '')
    .filter(Boolean);

/** How a message calls a setting that may have come by an option. */
const nameOf = (name: string, flags: Flags): string =>
  (name === 'TWENTY_API_BASE_URL' && flags.url !== undefined && '--url') ||
  (name === 'TWENTY_APP_APPLICATION_ACCESS_TOKEN' && flags.token !== undefined && '--token') ||
  name;

/** What is wrong with the settings, one line each; none if they can be read. */
export function faultsOf(errors: string, flags: Flags): string[] {
  const named = (line: string) => line.replace(/^`(\w+)`/, (_, name: string) => `\`${nameOf(name, flags)}\``);
  return errors.split('\n').filter(Boolean).map(named);
}

/** Ends the command if a setting cannot be read. */
export function requireReadable(errors: string, flags: Flags): void {
  const faults = faultsOf(errors, flags);
  if (faults.length > 0) throw usage('invalid_settings', faults.join('\n'));
}

/** Where Twenty is: the address of its REST API, and the setting that says so. */
export function requireAddress(env: Environment, flags: Flags): { restUrl: string; from: string } {
  const address = addressOf(env);
  if (!address) throw usage('missing_url', 'the address of the Twenty server is missing', 'Set TWENTY_API_URL, or give --url.');
  return { restUrl: restUrlOf(env), from: nameOf(address.name, flags) };
}

/** The token, and the setting that it stands in; none if there is none. */
export function tokenIn(env: Environment, flags: Flags): { token: string; from: string } | undefined {
  const token = tokenOf(env);
  return token && { token: token.text, from: nameOf(token.name, flags) };
}

/** Whether a flag is on. */
export const isOn = (env: Context['env'], name: string): boolean => /^(1|true|yes|on)$/i.test(env[name]?.trim() ?? '');
