// Serves the proxy, and says at the start what will not work.

import { CliError, EXIT, usage } from '../../../rollups/cli/outcome.js';
import { formatCount } from '../../../rollups/cli/text.js';
import { listen, listenFault } from '../../listen.js';
import { hostOf, minutesOf, portOf, startErrors } from '../../start.js';
import type { Command, Context } from '../context.js';
import { missingNames, readinessOf } from '../readiness.js';
import { isOn, requireAddress, requireReadable, tokenIn } from '../settings.js';

/** Names of missing parts that are shown. */
const MAX_SHOWN = 10;

export const serve: Command = async (context) => {
  const { screen, flags, env } = context;
  requireReadable(startErrors(env, flags.port, flags.processEvery), flags);
  requireAddress(env, flags);
  const place = { port: portOf(env, flags.port), host: hostOf(flags.host) };
  const processEveryMinutes = minutesOf(flags.processEvery);
  if (processEveryMinutes && !tokenIn(env, flags)) {
    throw usage('missing_token', '--process-every needs a token', 'Set TWENTY_API_KEY, or give --token.');
  }
  if (processEveryMinutes && !isOn(env, 'FUNDRAISING_ENABLE_GIFT_STAGING')) {
    throw usage('staging_off', '--process-every is for staged gifts, and staging is off', 'Set FUNDRAISING_ENABLE_GIFT_STAGING=on.');
  }
  const url = await listen({ ...place, env, processEveryMinutes }).catch((error: unknown) => {
    throw new CliError(EXIT.wrong, 'cannot_listen', listenFault(error, place));
  });
  screen.print(JSON.stringify({ url }));
  if (screen.isInteractive) screen.log('Ctrl-C ends it.');
  // In the meantime it serves: a workspace that is away may come back.
  void warn(context);
  return { exit: EXIT.ok, document: { url }, isServing: true };
};

async function warn({ host, screen, flags, env }: Context): Promise<void> {
  const { restUrl } = requireAddress(env, flags);
  const ready = await readinessOf(await host.proxy(), env);
  const names = missingNames(ready);
  const more = names.length > MAX_SHOWN ? ` and ${names.length - MAX_SHOWN} more` : '';
  const warning = {
    ready: '',
    incomplete: `the workspace lacks ${formatCount(names.length, 'part')} of the data model: ${names.slice(0, MAX_SHOWN).join(', ')}${more}
twenty-fundraising provision makes what is missing; FUNDRAISING_MODEL names what is called otherwise.`,
    unreachable: `Twenty cannot be used at ${restUrl}: ${ready.message}
twenty-fundraising check says more.`,
    unchecked: `the workspace was not compared with the data model: ${ready.reason}`,
  }[ready.status];
  if (warning) screen.log(`${screen.colors.yellow('warning')}: ${warning}`);
}
