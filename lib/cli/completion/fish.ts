/** Completion for fish: a line for each command and option. PURE. */
import type { CommandWords, OptionWord, Value } from './words.js';

export function fishCompletion(program: string, commands: readonly CommandWords[]): string {
  const head = `complete -c ${program}`;
  return [
    `# Completion of ${program} for fish: ${program} completion fish > ~/.config/fish/completions/${program}.fish`,
    `${head} -f`,
    ...commands.flatMap(({ name, says, options, operands }) => {
      const within = `${head} -n '__fish_seen_subcommand_from ${name}'`;
      return [
        `${head} -n __fish_use_subcommand -a ${name} -d ${quoted(says)}`,
        ...(operands.kind === 'none' || operands.kind === 'any' ? [] : [`${within}${action(operands)}`]),
        ...options.map((option) => `${within} ${optionText(option)}`),
      ];
    }),
    '',
  ].join('\n');
}

function optionText({ word, says, value }: OptionWord): string {
  // `-x`: a value follows, and no file is one.
  const needs = value.kind === 'none' ? '' : ` ${value.kind === 'file' ? '-r' : '-x'}${action(value)}`;
  return `-l ${word.slice(2)}${needs} -d ${quoted(says)}`;
}

function action(value: Value): string {
  switch (value.kind) {
    case 'choices':
      return ` -a ${quoted(value.choices.join(' '))}`;
    case 'file':
      return ' -F';
    case 'directory':
      return " -a '(__fish_complete_directories)'";
    case 'none':
    case 'any':
      return '';
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
