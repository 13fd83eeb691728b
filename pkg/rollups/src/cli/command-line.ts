// What the command lines of both products have in common.

import { Command, CommanderError } from 'commander';

import type { Output } from './context.js';
import { EXIT } from './outcome.js';
import { Screen } from './screen.js';
import { wrap } from './text.js';

const HELP_COLUMNS = 80;

interface About {
  name: string;
  description: string;
  version: string;
  /** Paragraphs below the help. */
  notes: string[];
}

interface Streams {
  stdout: Output;
  stderr: Output;
  env: Record<string, string | undefined>;
}

export const createProgram = ({ name, description, version, notes }: About, { stdout, stderr }: Streams): Command =>
  new Command(name)
    .description(description)
    .version(version)
    .exitOverride()
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(text) })
    .addHelpText('after', notes.map((note) => `\n${wrap(note, 0, stdout.columns ?? HELP_COLUMNS).join('\n')}`).join('\n'));

export const addCommand = (program: Command, name: string, description: string): Command =>
  program.command(name).description(description).option('--json', 'print one JSON document and nothing else');

/** The address and the token of a workspace. */
export const withWorkspace = (command: Command): Command =>
  command
    .option('--url <address>', 'address of the Twenty server')
    .option('--token <token>', 'API key; better given as TWENTY_API_KEY, as other users see command lines');

/**
 * Runs what a command line asks for.
 *
 * @param args without the program's name
 * @returns whether it could be read; if not, commander has said why
 */
export async function parse(program: Command, args: string[], streams: Streams): Promise<boolean> {
  try {
    await program.parseAsync(args, { from: 'user' });
    return true;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version end it too.
    if (error.exitCode === 0) return true;
    const screen = new Screen(streams, { json: args.includes('--json') });
    screen.document({ exitCode: EXIT.usage, error: { code: 'usage', message: error.message.replace(/^error: /, '') } });
    return false;
  }
}
