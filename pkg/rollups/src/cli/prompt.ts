// Questions to a person at a terminal.

import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

/** Asks, and gives what was typed; a hidden answer does not show. */
export type Ask = (question: string, hidden?: boolean) => Promise<string>;

/** Whether a person says yes; an empty answer is the one in capitals. */
export async function confirm(ask: Ask, question: string, byDefault: boolean): Promise<boolean> {
  const answer = (await ask(`${question} ${byDefault ? '[Y/n]' : '[y/N]'} `)).trim().toLowerCase();
  return answer === '' ? byDefault : ['y', 'yes'].includes(answer);
}

/** Asks on stderr, so that stdout holds results alone. Ctrl-C at a question is the process's, as everywhere else. */
export const askOnTerminal =
  ({ stdin, stderr, kill, pid }: NodeJS.Process): Ask =>
  async (question, hidden = false) => {
    // What is typed is echoed by the line editor: for a hidden answer it has nowhere to go.
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
    const editor = createInterface({ input: stdin, output: hidden ? nowhere : stderr, terminal: true });
    editor.on('SIGINT', () => {
      editor.close();
      kill(pid, 'SIGINT');
    });
    // Ctrl-D, or an input that has ended.
    const ended = new Promise<string>((resolve) => editor.once('close', () => resolve('')));
    try {
      if (hidden) stderr.write(question);
      return await Promise.race([editor.question(hidden ? '' : question), ended]);
    } finally {
      editor.close();
      if (hidden) stderr.write('\n');
    }
  };
