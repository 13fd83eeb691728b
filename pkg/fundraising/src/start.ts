// What a server looks at before it serves, on Node and Bun.

import type { Environment } from './index.js';
import { settingErrors } from './node.js';

const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_PORT = '3000';
const MAX_PORT = 65_535;
/** A day. */
const MAX_MINUTES = 1_440;

/** The text of a variable, or of an option; none if it is empty. */
const filled = (text: unknown): string | undefined => (typeof text === 'string' ? text.trim() : undefined) || undefined;

const portError = (name: string, text: string | undefined) =>
  text && !(/^\d{1,5}$/.test(text) && Number(text) <= MAX_PORT)
    ? `\`${name}\` is ${JSON.stringify(text)}, expected a whole number from 0 to ${MAX_PORT}`
    : '';

const minutesError = (text: string | undefined) =>
  text && !(/^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_MINUTES)
    ? `\`--process-every\` is ${JSON.stringify(text)}, expected a whole number of minutes from 1 to ${MAX_MINUTES}`
    : '';

/** What is wrong with the settings, the port and the timer, one line each; an empty text if all can be read. */
export const startErrors = (env: Environment, port?: string, minutes?: string): string =>
  [settingErrors(env), portError('PORT', filled(env.PORT)), portError('--port', filled(port)), minutesError(filled(minutes))]
    .filter(Boolean)
    .join('\n');

/** How often staged gifts are processed; never, unless `--process-every` says so. */
export const minutesOf = (minutes: string | undefined): number | undefined => (filled(minutes) ? Number(filled(minutes)) : undefined);

/** The port to listen on, 0 for any that is free. */
export const portOf = (env: Environment, port?: string): number => Number(filled(port) ?? filled(env.PORT) ?? DEFAULT_PORT);

/** The address to listen on: of this machine alone, unless `--host` says otherwise. */
export const hostOf = (host: string | undefined): string => filled(host) ?? DEFAULT_HOST;
