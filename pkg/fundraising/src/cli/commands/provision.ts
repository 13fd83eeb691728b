// Makes what the workspace lacks of the data model.

import { CliError, EXIT, usage } from '../../../rollups/cli/outcome.js';
import { formatCount } from '../../../rollups/cli/text.js';
import { ProvisionError, provision as makeModel } from '../../provision.js';
import type { Command } from '../context.js';
import { requireAddress, requireReadable, tokenIn } from '../settings.js';
import { requireTwenty } from '../workspace.js';

export const provision: Command = async ({ host, screen, flags, env }) => {
  const { settingErrors } = await host.proxy();
  requireReadable(settingErrors(env), flags);
  const { restUrl } = requireAddress(env, flags);
  const token = tokenIn(env, flags)?.token;
  if (!token) {
    throw usage('missing_token', 'no token: a key whose role may change the data model is missing', 'Set TWENTY_API_KEY, or give --token.');
  }
  await requireTwenty(restUrl, token, host.fetch);
  const { made, present } = await makeModel(env).catch((error: unknown) => {
    throw error instanceof ProvisionError ? new CliError(EXIT.wrong, 'not_provisioned', error.message) : error;
  });
  for (const name of made) screen.print(`made ${name}`);
  screen.print(`${formatCount(made.length, 'part')} of the data model made, ${present} there already`);
  return { exit: EXIT.ok, document: { made, present } };
};
