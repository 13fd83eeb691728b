// Are the definitions sound, and does the workspace have what they name?

import { callEngine, loadEngine, refuseError } from '../engine.mjs';
import { EXIT } from '../outcome.mjs';
import { placeOf, showList } from '../show.mjs';
import { count } from '../text.mjs';
import { seeWorkspace } from '../workspace.mjs';

export async function validate(context) {
  const { world, screen, settings, flags, fetch } = context;
  const { config, source, url, token } = settings;
  const { validateDefinitions } = await loadEngine(world);
  const { errors, definitions } = config === undefined ? { errors: [], definitions: null } : validateDefinitions(config);

  const faults = errors.map(({ place, message }) => `${place}: ${message}`);
  showList(screen, `${source}: ${count(faults.length, 'fault')}`, faults, 50);
  if (faults.length > 0) return { exit: EXIT.wrong, document: { valid: false, source, errors, workspace: null } };
  if (definitions !== null) screen.say(`${source}: ${count(definitions, 'definition')}, sound`);

  if (flags.offline || !url || !token) {
    screen.say('Not compared with a workspace: that needs --url and --token, or TWENTY_API_URL and TWENTY_API_KEY.');
    screen.say('Not checked: whether the fields are there, and whether they can have the values that conditions name.');
    return { exit: EXIT.right, document: { valid: true, source, errors, workspace: null } };
  }

  await seeWorkspace(settings, fetch);
  const report = await callEngine(context, { plan: true });
  if (report.code !== 'nothing_to_run') refuseError(report);
  const { skipped } = report;
  const places = skipped.map((entry) => `${placeOf(entry, config)}: ${entry.reason}`);
  // The built-in definitions are for whatever part of them a workspace has; a team's own are meant to run.
  const fits = report.code !== 'nothing_to_run' && (config === undefined || skipped.length === 0);
  if (skipped.length === 0) screen.say(`${url} has everything that they name.`);
  showList(screen, config === undefined ? `Not in ${url}, and so left out:` : `Does not fit ${url}:`, places, 50);
  showList(screen, 'Worth knowing:', report.notes ?? []);
  return {
    exit: fits ? EXIT.right : EXIT.wrong,
    document: { valid: fits, source, errors, workspace: { url, skipped, notes: report.notes ?? [] } },
  };
}
