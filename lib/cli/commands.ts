/**
 * The one list of commands: `--help` and the sentences about a wrong one come from it.
 */
export interface Command {
  readonly name: string;
  readonly description: string;
}

export const COMMANDS: readonly Command[] = [{ name: 'start', description: 'run in the foreground' }];

export function isCommand(word: string): boolean {
  return COMMANDS.some(({ name }) => name === word);
}
