// Are the definitions sound, and does the workspace have what they name?

import type { Command } from '../context.js';
import { callEngine, faultInWords, loadEngine, throwIfError } from '../engine.js';
import { EXIT } from '../outcome.js';
import { MAX_SHOWN, placeOf, showList } from '../show.js';
import { formatCount } from '../text.js';
import { checkWorkspace } from '../workspace.js';

export const validate: Command = async (context) => {
  const { host, screen, settings, flags, fetch } = context;
  const { config, source, url, token } = settings;
  const { validateDefinitions } = await loadEngine(host);
  const { errors, definitions } = config === undefined ? { errors: [], definitions: null } : validateDefinitions(config);

  const faults = errors.map((fault) => faultInWords(fault, settings));
  showList(screen, `${source}: ${formatCount(faults.length, 'fault')}`, faults, MAX_SHOWN);
  if (faults.length > 0) return { exit: EXIT.wrong, document: { valid: false, source, errors, workspace: null } };
  if (definitions !== null) screen.print(`${source}: ${formatCount(definitions, 'definition')}, sound`);

  if (!flags.offline && url && !token) {
    const message = `not compared with ${url}: there is no token, as TWENTY_API_KEY is empty or not set`;
    screen.print(`${message[0]!.toUpperCase()}${message.slice(1)}.`);
    screen.print('Set it, or give --offline to check the definitions alone.');
    return { exit: EXIT.wrong, document: { valid: false, source, errors, workspace: null, error: { code: 'missing_token', message } } };
  }
  if (flags.offline || !url || !token) {
    screen.print('Not compared with a workspace: that needs --url and --token, or TWENTY_API_URL and TWENTY_API_KEY.');
    screen.print('Not checked: whether the fields are there, and whether they can have the values that conditions name.');
    return { exit: EXIT.ok, document: { valid: true, source, errors, workspace: null } };
  }

  await checkWorkspace(settings, fetch);
  const report = await callEngine(context, { plan: true });
  if (report.code !== 'nothing_to_run') throwIfError(report);
  const { skipped = [] } = report;
  const places = skipped.map((entry) => `${placeOf(entry, config)}: ${entry.reason}`);
  // The built-in definitions are for whatever part of them a workspace has; a team's own are meant to run.
  const fits = report.code !== 'nothing_to_run' && (config === undefined || skipped.length === 0);
  if (skipped.length === 0) screen.print(`${url} has everything that they name.`);
  showList(screen, config === undefined ? `Not in ${url}, and so left out:` : `Does not fit ${url}:`, places, MAX_SHOWN);
  showList(screen, 'Worth knowing:', report.notes ?? []);
  return {
    exit: fits ? EXIT.ok : EXIT.wrong,
    document: { valid: fits, source, errors, workspace: { url, skipped, notes: report.notes ?? [] } },
  };
};
