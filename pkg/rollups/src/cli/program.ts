// The command line: which commands there are, what they take, and how they end.

import { Argument, type Command, InvalidArgumentError } from 'commander';

import { addCommand, createProgram, parse, withWorkspace } from './command-line.js';
import { completion } from './commands/completion.js';
import { definitions } from './commands/definitions.js';
import { drift } from './commands/drift.js';
import { explain } from './commands/explain.js';
import { init } from './commands/init.js';
import { plan } from './commands/plan.js';
import { provision } from './commands/provision.js';
import { DEFAULT_TIME_LIMIT_SECONDS, rebuild } from './commands/rebuild.js';
import { DEFAULT_PAGE, report } from './commands/report.js';
import { test } from './commands/test.js';
import { validate } from './commands/validate.js';
import { watch } from './commands/watch.js';
import type { Command as CommandFunction, Context, Flags, Host } from './context.js';
import { requireValidDefinitions } from './engine.js';
import { interruptible } from './interrupt.js';
import { CliError, EXIT, type ExitCode } from './outcome.js';
import { version } from './rollups-file.js';
import { Screen } from './screen.js';
import { DEFAULT_FILE, requireWorkspace, secretsOf, readSettings, unknownSettings } from './settings.js';
import { DEFAULT_TEST_FILE } from './test-file.js';
import { formatCount } from './text.js';

const NOTES = [
  'Exit codes: 0 all is right, 1 something is wrong (faults, drift, a run that did not finish), 2 usage, 3 the workspace cannot be reached or refuses the token, 4 a fault of this program, 5 nothing wrong was found, but not everything was compared, 130 stopped by Ctrl-C.',
  "Without the options the address is TWENTY_API_URL, the token TWENTY_API_KEY (or an app's token by its own name), the definitions ROLLUP_ENGINE_CONFIG, else rollups.json in this folder, else the built-in ones.",
];

/**
 * Runs a command to its end.
 *
 * @param args without the program's name
 * @returns the exit code
 */
export async function run(args: string[], host: Host): Promise<ExitCode> {
  let exit: ExitCode = EXIT.ok;
  // Commander hands over the operands, then the options, then the command.
  const act: Register = (name, command, needsWorkspace = true, readsSettings = true) => async (...given) => {
    const flags = given.at(-2) as Flags;
    exit = await runCommand({ name, command, needsWorkspace, readsSettings, flags, operands: given.slice(0, -2) as string[] }, host);
  };
  return (await parse(commandLine(act, host), args, host)) ? exit : EXIT.usage;
}

/** Makes of a command what commander is to call. */
type Register = (name: string, command: CommandFunction, needsWorkspace?: boolean, readsSettings?: boolean) => (...given: unknown[]) => Promise<void>;

function commandLine(act: Register, host: Host): Command {
  const about = { name: 'twenty-rollups', description: 'Keeps totals on parent records of a Twenty workspace right.', version, notes: NOTES };
  const program = createProgram(about, host);

  const plain = (name: string, description: string) => addCommand(program, name, description);

  const connected = (name: string, description: string) =>
    withWorkspace(plain(name, description)).option('--verbose', "print the engine's log lines to stderr");

  const command = (name: string, description: string) =>
    connected(name, description)
      .option('--config <file>', 'definitions, as in rollups.json')
      .option('--requests-per-minute <number>', 'share of the budget, or off');

  const selecting = (made: Command) =>
    made.option('--only <definitions>', 'some definitions alone, by number, object or field: 0,appeal,person.lastGiftDate');

  const naming = (made: Command) =>
    selecting(made)
      .option('--ids <ids>', 'some records alone, and what is made of their totals')
      .option('--object <name>', 'object of the records of --ids (person, or the only one of the definitions)');

  const limited = (made: Command, byDefault: string) =>
    made.option('--time-limit <seconds>', `time that a run may take (${byDefault})`, seconds);

  connected('init', 'asks for the workspace, proposes definitions for what it has, writes rollups.json')
    .option('--output <file>', 'where to write', DEFAULT_FILE)
    .option('--force', 'write over a file that is there')
    .option('--yes', 'write without asking')
    .action(act('init', init, false, false));

  plain('definitions', 'prints the built-in definitions, as a rollups.json').action(act('definitions', definitions, false, false));

  command('validate', 'are the definitions sound, and does the workspace have what they name?')
    .option('--offline', 'do not ask the workspace')
    .action(act('validate', validate, false));

  command('provision', 'which fields of the totals does the workspace lack?')
    .option('--apply', 'make them')
    .action(act('provision', provision, false));

  limited(selecting(command('plan', 'what would a rebuild cost, and how would it go about it? writes nothing')), 'without end').action(
    act('plan', plan),
  );

  limited(naming(command('rebuild', 'put every total right')), `${DEFAULT_TIME_LIMIT_SECONDS}, then it goes on in a next one`)
    .option('--dry-run', 'write nothing, show what would change')
    .option('--csv <file>', 'with --dry-run: every value that would change')
    .option('--sample <number>', 'with --dry-run: changes that are shown', number, 10)
    .option('--resume <file>', 'go on from the checkpoint of an earlier rebuild')
    .option('--checkpoint <file>', 'where to leave a checkpoint (rollups-checkpoint.json)')
    .option('--once', 'end with the first run, even if something is left to do')
    .option('--yes', 'do not ask before the built-in definitions are used')
    .action(act('rebuild', rebuild));

  limited(naming(command('drift', 'which stored totals are wrong? writes nothing, exit code 1 if there are any')), 'without end')
    .option('--csv <file>', 'every wrong value')
    .option('--sample <number>', 'wrong values that are shown', number, 10)
    .action(act('drift', drift));

  command('explain', 'how do the totals of one parent come about?')
    .argument('<id>', 'id of the parent')
    .option('--object <name>', 'object of the parent (person, or the only one of the definitions)')
    .option('--all', 'every child, however many there are')
    .option('--record-test [file]', `add a test case of this parent, without personal data, to the file (${DEFAULT_TEST_FILE})`)
    .action(act('explain', explain));

  command('test', 'do the definitions make of your own cases what you expect? needs no workspace')
    .argument('[file]', 'the cases', DEFAULT_TEST_FILE)
    .action(act('test', test, false));

  limited(command('report', 'a page to look at: giving, totals, drift and requests; writes nothing to the workspace'), 'without end')
    .option('--out <file>', 'where to write the page', DEFAULT_PAGE)
    .option('--log <file>', 'a log of runs, to show them over time')
    .action(act('report', report));

  plain('watch', 'follows a log of runs, and says in a line what each came to')
    .argument('[file]', 'the log; without one it is piped in')
    .option('--once', 'end with the end of the file')
    .action(act('watch', watch, false, false));

  plain('completion', 'prints the completion for a shell')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .action(act('completion', completion(program), false, false));

  return program;
}

interface Call {
  name: string;
  command: CommandFunction;
  needsWorkspace: boolean;
  /** Whether it goes by the address, the token and the definitions of the options and the environment. */
  readsSettings: boolean;
  flags: Flags;
  operands: string[];
}

async function runCommand({ name, command, needsWorkspace, readsSettings, flags, operands }: Call, host: Host): Promise<ExitCode> {
  const screen = new Screen(host, { json: Boolean(flags.json) });
  for (const secret of secretsOf(flags, host.env)) screen.addSecret(secret);
  for (const line of unknownSettings(host.env)) screen.log(`${screen.colors.yellow('warning')}: ${line}`);
  const context: Partial<Context> = { host, screen, flags };
  const stop = interruptible(host.fetch, host.signals, (underWay) => {
    context.progress?.end();
    screen.log(`Stopping: ${formatCount(underWay, 'request')} under way may end. Ctrl-C again stops at once.`);
  });
  const finish = (exit: ExitCode, document: object) => {
    screen.document({ command: name, exitCode: exit, ...document });
    return exit;
  };

  const work = async () => {
    if (readsSettings) context.settings = readSettings(flags, host);
    if (needsWorkspace) {
      const settings = requireWorkspace(context.settings!);
      await requireValidDefinitions(settings, host);
    }
    context.fetch = stop.fetch;
    const { exit, document } = await command(context as Context, ...operands);
    return () => finish(exit, document);
  };
  const interrupted = stop.stopped.then((exit) => () => {
    context.progress?.end();
    const message = context.onInterrupt?.(Boolean(context.checkpointWritten)) ?? 'Stopped. Nothing was written.';
    screen.log(message);
    return finish(exit, { error: { code: 'interrupted', message } });
  });

  try {
    return (await Promise.race([work(), interrupted]))();
  } catch (error) {
    const reason = error instanceof CliError ? error : new CliError(EXIT.fault, 'fault', (error as Error).stack ?? String(error));
    screen.log(`${screen.colors.red('error')}: ${reason.message}`);
    if (reason.hint) screen.log(reason.hint);
    return finish(reason.exit, {
      error: { code: reason.code, message: reason.message, hint: reason.hint ?? null },
      ...(reason.report && { report: reason.report }),
    });
  } finally {
    stop.release();
  }
}

function number(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(text);
}

function seconds(text: string): number {
  const value = number(text);
  if (value < 1) throw new InvalidArgumentError('Expected at least one second.');
  return value;
}
