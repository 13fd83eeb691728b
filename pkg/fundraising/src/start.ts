// What a server looks at before it serves, on Node and Bun.

import type { Environment } from './index.js';
import { settingErrors } from './node.js';

const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_PORT = '3000';
const MAX_PORT = 65_535;

/** The text of a variable, or of an option; none if it is empty. */
const filled = (text: unknown): string | undefined => (typeof text === 'string' ? text.trim() : undefined) || undefined;

const portError = (name: string, text: string | undefined) =>
  text && !(/^\d{1,5}$/.test(text) && Number(text) <= MAX_PORT)
    ? `\`${name}\` is ${JSON.stringify(text)}, expected a whole number from 0 to ${MAX_PORT}`
    : '';

/** What is wrong with the settings and the port, one line each; an empty text if all can be read. */
export const startErrors = (env: Environment, port?: string): string =>
  [settingErrors(env), portError('PORT', filled(env.PORT)), portError('--port', filled(port))].filter(Boolean).join('\n');

/** The port to listen on, 0 for any that is free. */
export const portOf = (env: Environment, port?: string): number => Number(filled(port) ?? filled(env.PORT) ?? DEFAULT_PORT);

/** The address to listen on: of this machine alone, unless `--host` says otherwise. */
export const hostOf = (host: string | undefined): string => filled(host) ?? DEFAULT_HOST;
