// The command line: which commands there are, what they take, and how they end.

import { readFileSync } from 'node:fs';

import { Command, CommanderError, InvalidArgumentError } from 'commander';

import { drift } from './commands/drift.mjs';
import { explain } from './commands/explain.mjs';
import { plan } from './commands/plan.mjs';
import { rebuild, USUAL_SECONDS } from './commands/rebuild.mjs';
import { validate } from './commands/validate.mjs';
import { requireSoundness } from './engine.mjs';
import { interruptible } from './interrupt.mjs';
import { EXIT, Ending } from './outcome.mjs';
import { Screen } from './screen.mjs';
import { requireWorkspace, secretsOf, settingsOf, unknownSettings } from './settings.mjs';
import { count } from './text.mjs';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

const ENDINGS = `
Exit codes: 0 all is right, 1 something is wrong (faults, drift, a run that did not finish), 2 usage,
3 the workspace cannot be reached or refuses the token, 4 a fault of this program, 5 nothing wrong was found, but not
everything was compared, 130 stopped by Ctrl-C.

Without the options the address is TWENTY_API_URL, the token TWENTY_API_KEY (or an app's token by its own name), the
definitions ROLLUP_ENGINE_CONFIG, else rollups.json in this folder, else the built-in ones.`;

/**
 * Runs a command to its end.
 *
 * @param {string[]} args without the program's name
 * @param {{ env: object, folder: string, stdout: object, stderr: object, fetch: Function, signals: object,
 *   sleep: (ms: number) => Promise<void>, engine: () => Promise<object> }} world what a process has, so that a test can hand in another
 * @returns {Promise<number>} the exit code
 */
export async function run(args, world) {
  let exit = EXIT.right;
  const act = (name, command, needsWorkspace = true) => async (...given) => {
    const flags = given.at(-2);
    exit = await carryOut({ name, command, needsWorkspace, flags, operands: given.slice(0, -2) }, world);
  };
  try {
    await commandLine(act, world).parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return EXIT.right;
    // Commander has said it on stderr already.
    const screen = new Screen(world, { json: args.includes('--json') });
    const message = error.message.replace(/^error: /, '');
    screen.document({ exitCode: EXIT.usage, error: { code: 'usage', message } });
    return EXIT.usage;
  }
  return exit;
}

function commandLine(act, { stdout, stderr }) {
  const program = new Command('twenty-rollups')
    .description('Keeps totals on parent records of a Twenty workspace right.')
    .version(version)
    .exitOverride()
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(text) })
    .addHelpText('after', ENDINGS);

  const command = (name, description) =>
    program
      .command(name)
      .description(description)
      .option('--url <address>', 'address of the Twenty server')
      .option('--token <token>', 'API key; better given as TWENTY_API_KEY, as other users see command lines')
      .option('--config <file>', 'definitions, as in rollups.json')
      .option('--requests-per-minute <number>', 'share of the budget, or off')
      .option('--json', 'print one JSON document and nothing else')
      .option('--verbose', "print the engine's log lines to stderr");

  const limited = (made, usual) => made.option('--time-limit <seconds>', `time that a run may take (${usual})`, seconds);

  command('validate', 'are the definitions sound, and does the workspace have what they name?')
    .option('--offline', 'do not ask the workspace')
    .action(act('validate', validate, false));

  limited(command('plan', 'what would a rebuild cost, and how would it go about it? writes nothing'), 'without end').action(
    act('plan', plan),
  );

  limited(command('rebuild', 'put every total right'), `${USUAL_SECONDS}, then it goes on in a next one`)
    .option('--dry-run', 'write nothing, show what would change')
    .option('--csv <file>', 'with --dry-run: every value that would change')
    .option('--sample <number>', 'with --dry-run: changes that are shown', number, 10)
    .option('--resume <file>', 'go on from the checkpoint of an earlier rebuild')
    .option('--checkpoint <file>', 'where to leave a checkpoint (rollups-checkpoint.json)')
    .option('--once', 'end with the first run, even if something is left to do')
    .action(act('rebuild', rebuild));

  limited(command('drift', 'which stored totals are wrong? writes nothing, exit code 1 if there are any'), 'without end')
    .option('--csv <file>', 'every wrong value')
    .option('--sample <number>', 'wrong values that are shown', number, 10)
    .action(act('drift', drift));

  command('explain', 'how do the totals of one parent come about?')
    .argument('<id>', 'id of the parent')
    .option('--object <name>', 'object of the parent (person, or the only one of the definitions)')
    .option('--all', 'every child, however many there are')
    .action(act('explain', explain));

  return program;
}

async function carryOut({ name, command, needsWorkspace, flags, operands }, world) {
  const screen = new Screen(world, { json: Boolean(flags.json) });
  for (const secret of secretsOf(flags, world.env)) screen.hide(secret);
  for (const line of unknownSettings(world.env)) screen.tell(`${screen.colors.yellow('warning')}: ${line}`);
  const context = { world, screen, flags };
  const stop = interruptible(world.fetch, world.signals, (underWay) => {
    context.progress?.end();
    screen.tell(`Stopping: ${count(underWay, 'request')} under way may end. Ctrl-C again stops at once.`);
  });
  const finish = (exit, document) => {
    screen.document({ command: name, exitCode: exit, ...document });
    return exit;
  };

  const work = async () => {
    context.settings = settingsOf(flags, world);
    if (needsWorkspace) {
      requireWorkspace(context.settings);
      await requireSoundness(context.settings, world);
    }
    context.fetch = stop.fetch;
    const { exit, document } = await command(context, ...operands);
    return () => finish(exit, document);
  };
  const interrupted = stop.stopped.then((exit) => () => {
    context.progress?.end();
    const message = context.onInterrupt?.(context.kept) ?? 'Stopped. Nothing was written.';
    screen.tell(message);
    return finish(exit, { error: { code: 'interrupted', message } });
  });

  try {
    return (await Promise.race([work(), interrupted]))();
  } catch (error) {
    const ending = error instanceof Ending ? error : new Ending(EXIT.fault, 'fault', error.stack ?? String(error));
    screen.tell(`${screen.colors.red('error')}: ${ending.message}`);
    if (ending.hint) screen.tell(ending.hint);
    return finish(ending.exit, {
      error: { code: ending.code, message: ending.message, hint: ending.hint ?? null },
      ...(ending.report && { report: ending.report }),
    });
  } finally {
    stop.release();
  }
}

function number(text) {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(text);
}

function seconds(text) {
  const value = number(text);
  if (value < 1) throw new InvalidArgumentError('Expected at least one second.');
  return value;
}
