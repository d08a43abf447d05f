/**
 * The one list of commands: `--help` and the sentences about a wrong one come from it.
 */
import type { ClientCommand } from './command.js';
import { CERTIFICATES } from './commands/certificates.js';
import { CHECK } from './commands/check.js';
import { completionCommand } from './commands/completion.js';
import { CONFIG } from './commands/config.js';
import { EXPIRE } from './commands/expire.js';
import { HTPASSWD } from './commands/htpasswd.js';
import { RELOAD } from './commands/reload.js';
import { STATUS } from './commands/status.js';
import { STOP } from './commands/stop.js';
import { WARM } from './commands/warm.js';
import { WHY } from './commands/why.js';

export interface Command {
  readonly name: string;
  readonly description: string;
}

/** All but `start`. */
export const CLIENT_COMMANDS: readonly ClientCommand[] = [
  STATUS,
  WHY,
  CERTIFICATES,
  EXPIRE,
  WARM,
  RELOAD,
  STOP,
  CHECK,
  CONFIG,
  HTPASSWD,
  completionCommand(() => CLIENT_COMMANDS),
];

export const COMMANDS: readonly Command[] = [
  { name: 'start', description: 'run in the foreground' },
  ...CLIENT_COMMANDS.map(({ name, says }) => ({ name, description: says })),
];

export function isCommand(word: string): boolean {
  return COMMANDS.some(({ name }) => name === word);
}

export function clientCommand(word: string | undefined): ClientCommand | undefined {
  return CLIENT_COMMANDS.find(({ name }) => name === word);
}
