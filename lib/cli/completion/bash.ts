/** Completion for bash, 3.2 and later: a function that `complete` is told of. PURE. */
import type { CommandWords, Value } from './words.js';

export function bashCompletion(program: string, commands: readonly CommandWords[]): string {
  const name = `_${program.replaceAll('-', '_')}`;
  return `# Completion of ${program} for bash. In ~/.bashrc: source <(${program} completion bash)
${name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]} words
  COMPREPLY=()
  # Words are broken at "=": --flag = value.
  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W '${[...commands.map((each) => each.name), 'help', '--help', '--version'].join(' ')}' -- "$cur"))
    return
  fi
  case $prev in
${valueCases(commands)}
  esac
  if [[ $cur == -* ]]; then
    case $command in
${commands.map(({ name: each, options }) => `      ${each}) words='${options.map(({ word }) => word).join(' ')}' ;;`).join('\n')}
    esac
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
    return
  fi
  case $command in
${commands
  .filter(({ operands }) => operands.kind !== 'none' && operands.kind !== 'any')
  .map(({ name: each, operands }) => `    ${each}) ${reply(operands)} ;;`)
  .join('\n')}
    help) ${reply({ kind: 'choices', choices: commands.map((each) => each.name) })} ;;
  esac
}
complete -o filenames -F ${name} ${program}
`;
}

/** A case for each option that a value follows: options of one name take the same in every command. */
function valueCases(commands: readonly CommandWords[]): string {
  const cases = new Map<string, string[]>();
  for (const { word, value } of commands.flatMap(({ options }) => options)) {
    if (value.kind === 'none') continue;
    const action = `${reply(value)} return`;
    const words = cases.get(action) ?? [];
    if (!words.includes(word)) words.push(word);
    cases.set(action, words);
  }
  return [...cases].map(([action, words]) => `    ${words.join('|')}) ${action} ;;`).join('\n');
}

function reply(value: Value): string {
  switch (value.kind) {
    case 'choices':
      return `COMPREPLY=($(compgen -W '${value.choices.join(' ')}' -- "$cur"));`;
    case 'file':
      return `local IFS=$'\\n'; COMPREPLY=($(compgen -f -- "$cur"));`;
    case 'directory':
      return `local IFS=$'\\n'; COMPREPLY=($(compgen -d -- "$cur"));`;
    case 'none':
    case 'any':
      return '';
  }
}
