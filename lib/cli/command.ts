/**
 * What a command of the command line is, but for `start`: it talks to a running program over its control socket.
 */
import type { OperationName, Operations } from '../admin/operations.js';
import type { CliIo } from './io.js';

/** A switch of one command, or an option with a value. */
export interface CommandOption {
  readonly says: string;
  /** What stands for its value in the help; absent: a switch. */
  readonly value?: string;
}

export interface ClientCommand {
  readonly name: string;
  /** What follows the name, as the help shows it: `[NAME]`, `FILE`, `all|domain [NAMES..]`. */
  readonly operands: string;
  readonly says: string;
  /** Exit codes beside 0, 1 (no program, no permission, a failure) and 2 (usage). */
  readonly exitCodes?: Readonly<Record<number, string>>;
  readonly options: Readonly<Record<string, CommandOption>>;
  /** @returns the exit code. @throws ProxyError: one sentence, exit code 2 for usage, else 1. */
  run(this: void, context: CommandContext): Promise<number>;
}

/** Asks the running program. @throws ProxyError ERR_ENVIRONMENT: there is none, or it gives no answer. */
export type Ask = <Op extends OperationName>(
  op: Op,
  params: Operations[Op]['params'],
) => Promise<Operations[Op]['result']>;

export interface CommandContext {
  readonly io: CliIo;
  readonly ask: Ask;
  /** The control socket. */
  readonly socketPath: string;
  readonly operands: readonly string[];
  readonly hasSwitch: (name: string) => boolean;
  readonly optionOf: (name: string) => string | undefined;
}

/** Every command has it. */
export const JSON_OPTION = { json: { says: 'the answer as one line of JSON' } } as const;

/** Prints an answer: as JSON where that is asked for, else as text for people. */
export function print(context: CommandContext, answer: unknown, text: () => string): void {
  context.io.stdout(context.hasSwitch('json') ? `${JSON.stringify(answer)}\n` : text());
}
