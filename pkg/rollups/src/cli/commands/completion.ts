// The completion of a shell, made of the commands and options that there are.

import type { Command as Program, Option } from 'commander';

import { EXIT, usage } from '../outcome.js';
import type { Screen } from '../screen.js';

const SHELLS = { bash, zsh, fish };

/** @param program the command line, with all its commands */
export const completion = (program: Program) => async ({ screen }: { screen: Screen }, shell = '') => {
  const make = SHELLS[shell as keyof typeof SHELLS];
  if (!make) throw usage('unknown_shell', `there is no completion for \`${shell}\``, `Expected one of: ${Object.keys(SHELLS).join(', ')}.`);
  const script = make(program);
  screen.print(script.trimEnd());
  return { exit: EXIT.ok, document: { shell, script } };
};

/** The shell function that proposes: `_twenty_rollups`. */
const functionOf = (program: Program) => `_${program.name().replaceAll('-', '_')}`;

const commandsOf = (program: Program) => program.commands.map((command) => ({ name: command.name(), about: command.description(), options: optionsOf(command), words: wordsOf(command) }));

const optionsOf = (command: Program) => command.options.filter(({ long }) => long).map((option) => ({ long: option.long!, about: option.description, value: valueOf(option) }));

/** What an option takes: a file, another value, or nothing. */
const valueOf = ({ flags }: Option) => (/[<[]file[>\]]/.test(flags) ? 'file' : /[<[]/.test(flags) ? 'value' : 'none');

/** Words that may stand for an operand. */
const wordsOf = (command: Program) => command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);

function bash(program: Program): string {
  const commands = commandsOf(program);
  const taking = (value: string, proposal: string) => {
    const options = [...new Set(commands.flatMap(({ options }) => options.filter((option) => option.value === value).map(({ long }) => long)))];
    return options.length > 0 ? `\n    ${options.join('|')}) ${proposal}return ;;` : '';
  };
  const cases = commands.map(({ name, options, words }) => `    ${name}) words='${[...words, ...options.map(({ long }) => long), '--help'].join(' ')}' ;;`);
  return `# bash: put this into ~/.bashrc:  eval "$(${program.name()} completion bash)"
${functionOf(program)}() {
  local word="\${COMP_WORDS[COMP_CWORD]}" words=''
  COMPREPLY=()
  case "\${COMP_WORDS[COMP_CWORD-1]}" in${taking('file', 'COMPREPLY=($(compgen -f -- "$word")); ')}${taking('value', '')}
  esac
  if [ "$COMP_CWORD" -gt 1 ]; then case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac; else words='${[...commands.map(({ name }) => name), '--help', '--version'].join(' ')}'; fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F ${functionOf(program)} ${program.name()}
`;
}

function zsh(program: Program): string {
  const commands = commandsOf(program);
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const told = (text: string) => text.replaceAll(/[[\]:\\]/g, '\\$&');
  const suffix = { file: ':file:_files', value: ':value: ', none: '' };
  const cases = commands.map(({ name, options, words }) => {
    const listed = options.map(({ long, about, value }) => quoted(`${long}[${told(about)}]${suffix[value as keyof typeof suffix]}`));
    const operand = words.length > 0 ? [quoted(`1:${name}:(${words.join(' ')})`)] : [quoted('*:file:_files')];
    return `    ${name}) _arguments ${[...listed, "'--help[the options]'", ...operand].join(' ')} ;;`;
  });
  return `#compdef ${program.name()}
# zsh: put this into ~/.zshrc, after compinit:  eval "$(${program.name()} completion zsh)"
${functionOf(program)}() {
  local -a commands=(${commands.map(({ name, about }) => quoted(`${name}:${told(about)}`)).join(' ')})
  if (( CURRENT == 2 )); then _describe 'command' commands; return; fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
compdef ${functionOf(program)} ${program.name()}
`;
}

function fish(program: Program): string {
  const quoted = (text: string) => `'${text.replaceAll(/['\\]/g, '\\$&')}'`;
  const complete = `complete -c ${program.name()}`;
  const takes = { file: ' -r -F', value: ' -x', none: '' };
  const lines = commandsOf(program).flatMap(({ name, about, options, words }) => {
    const here = `${complete} -n '__fish_seen_subcommand_from ${name}'`;
    return [
      `${complete} -f -n __fish_use_subcommand -a ${name} -d ${quoted(about)}`,
      ...words.map((word) => `${here} -f -a ${word}`),
      ...options.map(({ long, about, value }) => `${here} -l ${long.slice(2)}${takes[value as keyof typeof takes]} -d ${quoted(about)}`),
    ];
  });
  return `# fish: ${program.name()} completion fish > ~/.config/fish/completions/${program.name()}.fish\n${lines.join('\n')}\n`;
}
