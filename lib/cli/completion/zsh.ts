/** Completion for zsh: a function for `compdef`, which also works as a file `_NAME` of `fpath`. PURE. */
import type { CommandWords, OptionWord, Value } from './words.js';

export function zshCompletion(program: string, commands: readonly CommandWords[]): string {
  const name = `_${program}`;
  return `#compdef ${program}
# Completion of ${program} for zsh. In ~/.zshrc, after compinit: source <(${program} completion zsh)
${name}() {
  local -a commands
  commands=(
${commands.map((each) => `    ${quoted(`${each.name}:${each.says.replaceAll(':', '\\:')}`)}`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe -t commands command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${commands.map(commandCase).join('\n')}
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then ${name} "$@"; else compdef ${name} ${program}; fi
`;
}

function commandCase({ name, options, operands }: CommandWords): string {
  const rest = operands.kind === 'none' ? [] : [quoted(`*:operand:${action(operands)}`)];
  const lines = [...options.map(optionSpec), ...rest].map((line) => `        ${line}`);
  return `    ${name})\n      _arguments \\\n${lines.join(' \\\n')}\n      ;;`;
}

/** `*` before an option: it may be given again. */
function optionSpec({ word, says, value }: OptionWord): string {
  const text = says.replaceAll(/[[\]\\:]/g, '\\$&');
  return quoted(value.kind === 'none' ? `${word}[${text}]` : `*${word}=[${text}]:value:${action(value)}`);
}

function action(value: Value): string {
  switch (value.kind) {
    case 'choices':
      return `(${value.choices.join(' ')})`;
    case 'file':
      return '_files';
    case 'directory':
      return '_files -/';
    case 'none':
    case 'any':
      return ' ';
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
