// The command line: which commands there are, what they take, and how they end.

import { readFileSync } from 'node:fs';

import { Argument, type Command, InvalidArgumentError } from 'commander';

import { addCommand, createProgram, parse, withWorkspace } from '../../rollups/cli/command-line.js';
import { completion } from '../../rollups/cli/commands/completion.js';
import { CliError, EXIT, type ExitCode } from '../../rollups/cli/outcome.js';
import { Screen } from '../../rollups/cli/screen.js';
import { check } from './commands/check.js';
import { provision } from './commands/provision.js';
import { sendTestEvent } from './commands/send-test-event.js';
import { serve } from './commands/serve.js';
import type { Command as CommandFunction, Flags, Host } from './context.js';
import { environmentOf, secretsIn } from './settings.js';

const { version }: { version: string } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

const NOTES = [
  'Exit codes: 0 all is right, 1 something is wrong, 2 usage or a setting, 3 Twenty or the proxy cannot be reached or refuses the token, 4 a fault of this program.',
  'Without the options the address is TWENTY_API_BASE_URL, TWENTY_REST_BASE_URL or TWENTY_API_URL, with or without /rest, and the token TWENTY_API_KEY. docs/PROXY.md has all settings.',
];

interface Ending {
  exit: ExitCode;
  /** The process goes on by itself. */
  isServing: boolean;
}

/**
 * Runs a command to its end.
 *
 * @param args without the program's name
 */
export async function run(args: string[], host: Host): Promise<Ending> {
  let ending: Ending = { exit: EXIT.ok, isServing: false };
  // Commander hands over the operands, then the options, then the command.
  const act: Register = (name, command) => async (...given) => {
    ending = await runCommand(name, command, given.at(-2) as Flags, given.slice(0, -2) as string[], host);
  };
  return (await parse(commandLine(act, host), args, host)) ? ending : { exit: EXIT.usage, isServing: false };
}

/** Makes of a command what commander is to call. */
type Register = (name: string, command: CommandFunction) => (...given: unknown[]) => Promise<void>;

function commandLine(act: Register, host: Host): Command {
  const description = 'Takes gifts from forms, importers and payment providers into a Twenty workspace, each once.';
  const program = createProgram({ name: 'twenty-fundraising', description, version, notes: NOTES }, host);

  const command = (name: string, description: string) => addCommand(program, name, description);
  const withTwenty = (name: string, description: string) => withWorkspace(command(name, description));

  withTwenty('serve', 'serve the proxy until a signal ends it')
    .option('--port <number>', 'port to listen on, 0 for any that is free (PORT, else 3000)')
    .option('--host <address>', 'address to listen on (127.0.0.1; in a container 0.0.0.0)')
    .option('--process-every <minutes>', 'make gifts of the staged gifts that are due, so often (never)')
    .action(act('serve', serve));

  withTwenty('provision', 'make what the workspace lacks of the data model').action(act('provision', provision));

  withTwenty('check', 'are address, token, data model, webhook secrets and settings right? writes nothing').action(act('check', check));

  command('send-test-event', 'send a signed event to a proxy that is running, and say what it answered')
    .addArgument(new Argument('<provider>', 'whose event').choices(['stripe', 'gocardless']))
    .option('--to <address>', 'address of the proxy (http://127.0.0.1, with PORT, else 3000)')
    .option('--secret <secret>', 'signing secret; better given as STRIPE_WEBHOOK_SECRET or GOCARDLESS_WEBHOOK_SECRET')
    .option('--live', 'stripe: an event that makes a gift, where without it nothing is written')
    .option('--amount <minor>', 'stripe: amount in minor units', wholeNumber, 100)
    .option('--currency <code>', 'stripe: currency of the amount', 'gbp')
    .option('--email <address>', "stripe: the donor's e-mail address", 'test.donor@example.org')
    .option('--payment <id>', 'gocardless: confirm this payment, which the proxy then reads; without it nothing is written')
    .action(act('send-test-event', sendTestEvent));

  command('completion', 'print the completion for a shell')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .action(act('completion', completion(program)));

  return program;
}

async function runCommand(name: string, command: CommandFunction, flags: Flags, operands: string[], host: Host): Promise<Ending> {
  const screen = new Screen(host, { json: Boolean(flags.json) });
  const env = environmentOf(flags, host.env);
  for (const secret of secretsIn(flags, env)) screen.addSecret(secret);
  const finish = (exit: ExitCode, document: object) => screen.document({ command: name, exitCode: exit, ...document });
  try {
    const { exit, document, isServing = false } = await command({ host, screen, flags, env }, ...operands);
    finish(exit, document);
    return { exit, isServing };
  } catch (error) {
    const reason = error instanceof CliError ? error : new CliError(EXIT.fault, 'fault', (error as Error).stack ?? String(error));
    screen.log(`${screen.colors.red('error')}: ${reason.message}`);
    if (reason.hint) screen.log(reason.hint);
    finish(reason.exit, { error: { code: reason.code, message: reason.message, hint: reason.hint ?? null } });
    return { exit: reason.exit, isServing: false };
  }
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Expected a whole number from 1.');
  return Number(text);
}
