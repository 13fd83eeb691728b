// From nothing to a `rollups.json`: asks for the workspace, reads what it has, proposes definitions, writes the file.

import { existsSync, writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';

import type { Definition, Skipped } from '../../index.js';
import type { Command, Context, Host } from '../context.js';
import { callEngine, loadEngine, throwIfError } from '../engine.js';
import { CliError, EXIT, messageOf, usage } from '../outcome.js';
import { confirm } from '../prompt.js';
import { proposedDefinitions, withoutSkipped } from '../proposal.js';
import { configurationText, schemaFor } from '../rollups-file.js';
import type { Screen } from '../screen.js';
import { DEFAULT_FILE, type Settings, checkedAddress, checkedToken, readConnection, requireWorkspace } from '../settings.js';
import { definitionName } from '../show.js';
import { formatCount, hanging, wrap } from '../text.js';
import { checkWorkspace, readMetadata } from '../workspace.js';

const MAX_QUESTIONS = 3;

export const init: Command = async (context) => {
  const { host, screen, flags } = context;
  const shown = flags.output ?? DEFAULT_FILE;
  const path = resolve(host.folder, shown);
  if (existsSync(path) && !flags.force) throw usage('file_exists', `there is a ${shown} already`, 'Give --force to write over it, or --output for another file.');

  const connection = await workspaceOf(context);
  const settings: Settings = { ...connection, config: undefined, source: 'the proposal' };
  context.settings = settings;
  await checkWorkspace(settings, context.fetch);
  const objects = await readMetadata(settings, context.fetch);
  const { builtInDefinitions } = await loadEngine(host);
  const builtIn = await fitting(context, builtInDefinitions());
  const own = await fitting(context, proposedDefinitions(objects, builtIn.definitions));
  const definitions = [...builtIn.definitions, ...own.definitions];
  if (definitions.length === 0) return nothingFits(context, builtIn.skipped);

  screen.print(`${settings.url} has the fields for ${formatCount(definitions.length, 'definition')}:`);
  screen.print();
  for (const definition of definitions) showProposal(screen, definition);
  if (own.definitions.length > 0) {
    for (const line of wrap(`The last ${own.definitions.length === 1 ? 'one is' : `${own.definitions.length} are`} guessed from the names of your own fields: look at them twice.`)) screen.print(line);
    screen.print();
  }
  if (host.ask && !flags.yes && !(await confirm(host.ask, `Write ${shown}?`, true))) {
    screen.print('Nothing was written.');
    return { exit: EXIT.ok, document: { file: null, definitions } };
  }
  write(path, shown, configurationText(definitions, schemaFor(resolve(path, '..'))));
  screen.print(`Written: ${shown}`);
  showNextSteps(screen, settings, shown, host);
  return { exit: EXIT.ok, document: { file: shown, definitions } };
};

/** Address and token: as given, else asked for at a terminal. */
async function workspaceOf({ host, screen, flags }: Context): Promise<Omit<Settings, 'config' | 'source' | 'text'>> {
  const given = readConnection(flags, host);
  if (!host.ask) requireWorkspace({ ...given, config: undefined, source: '' });
  const url = given.url ?? (await asked(host, screen, 'Address of your Twenty, such as https://crm.example.org: ', false, (text) => checkedAddress('the address', text)));
  const token = given.token ?? (await asked(host, screen, 'API key (Settings → API & Webhooks; it does not show): ', true, (text) => checkedToken('the key', text)));
  screen.addSecret(token);
  return { ...given, url, token };
}

/** Asks until the answer is sound, a few times. */
async function asked(host: Host, screen: Screen, question: string, hidden: boolean, check: (text: string) => string): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    const text = (await host.ask!(question, hidden)).trim();
    try {
      if (!text) throw usage('no_answer', 'nothing was given');
      return check(text);
    } catch (error) {
      if (attempt === MAX_QUESTIONS || !(error instanceof CliError)) throw error;
      screen.log(`${error.message}${error.hint ? `. ${error.hint}` : ''}`);
    }
  }
}

/** What of these definitions the workspace has all the fields for, by the engine's own proof. */
async function fitting(context: Context, definitions: Definition[]): Promise<{ definitions: Definition[]; skipped: Skipped[] }> {
  if (definitions.length === 0) return { definitions, skipped: [] };
  context.settings = { ...context.settings, config: { definitions } };
  const report = await callEngine(context, { plan: true });
  if (report.code !== 'nothing_to_run') throwIfError(report);
  const skipped = report.skipped ?? [];
  return { definitions: report.code === 'nothing_to_run' ? [] : withoutSkipped(definitions, skipped), skipped };
}

function showProposal(screen: Screen, definition: Definition): void {
  screen.print(`  ${definitionName(definition)}`);
  for (const { type, parentField } of definition.aggregations) for (const line of hanging(`    ${type.padEnd(5)}  `, parentField)) screen.print(line);
  screen.print();
}

function nothingFits({ screen, settings }: Context, skipped: Skipped[]) {
  screen.print(`${settings.url} has no fields for totals that are known here. What the built-in definitions miss:`);
  for (const { reason } of skipped.slice(0, 20)) for (const line of hanging('  ', reason)) screen.print(line);
  screen.print();
  const advice = 'Make fields for the totals in Twenty (Settings → Data model), such as lifetimeGiftAmount of type Currency on people, and start init again; or install the app, which brings them.';
  for (const line of wrap(advice)) screen.print(line);
  return { exit: EXIT.wrong, document: { file: null, definitions: [], skipped } };
}

function write(path: string, shown: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw usage('unwritable_file', `cannot write \`${shown}\`: ${messageOf(error)}`);
  }
}

function showNextSteps(screen: Screen, { url }: Settings, shown: string, { env, folder }: Host): void {
  const config = relative(folder, resolve(folder, shown)) === DEFAULT_FILE ? '' : ` --config ${shown}`;
  // As it was called itself.
  const program = env.npm_command === 'exec' ? 'npx twenty-rollups' : 'twenty-rollups';
  screen.print();
  screen.print('Next:');
  if (!env.TWENTY_API_URL) screen.print(`  export TWENTY_API_URL=${url}`);
  if (!env.TWENTY_API_KEY) screen.print('  read -rs TWENTY_API_KEY && export TWENTY_API_KEY');
  for (const [command, what] of [['plan', 'what a rebuild costs'], ['drift', 'which totals are wrong'], ['rebuild', 'puts them right']]) {
    screen.print(`  ${program} ${`${command}${config}`.padEnd(8 + config.length)} # ${what}`);
  }
}
