/**
 * What a command of the command line is, but for `start`: most talk to a running program over its control socket.
 */
import type { OperationName, Operations } from '../admin/operations.js';
import { FLAG_NAMES, type FlagName } from '../config/flags.js';
import type { LoadInput } from '../config/load.js';
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
  /** The words that the first operand may be, where that is a choice. */
  readonly operandChoices?: readonly string[];
  readonly says: string;
  /** It takes all flags of `start`, and loads the settings as that does; else only those that say where the control socket is. */
  readonly takesSettings?: true;
  /** It does its work whether a program runs or not. */
  readonly isLocal?: true;
  /** What 0 and 1 say beside what they say of every command. */
  readonly exitCodes?: { readonly 0?: string; readonly 1?: string };
  readonly options: Readonly<Record<string, CommandOption>>;
  /** @returns the exit code. @throws ProxyError: one sentence, exit code 2 for usage, else 1. */
  run(this: void, context: CommandContext): Promise<number>;
}

/**
 * Asks the running program.
 *
 * @param timeoutMs how long it may take. @default a minute
 * @throws ProxyError ERR_ENVIRONMENT: there is none, or it gives no answer.
 */
export type Ask = <Op extends OperationName>(
  op: Op,
  params: Operations[Op]['params'],
  timeoutMs?: number,
) => Promise<Operations[Op]['result']>;

export interface CommandContext {
  readonly io: CliIo;
  readonly ask: Ask;
  /** The control socket. Reading it throws a ProxyError where the configuration file is wrong. */
  readonly socketPath: string;
  /** What the settings are loaded from. Of a command that does not take all flags: with those that it takes. */
  readonly input: LoadInput;
  readonly operands: readonly string[];
  readonly hasSwitch: (name: string) => boolean;
  readonly optionOf: (name: string) => string | undefined;
}

/** Every command has it. */
export const JSON_OPTION = { json: { says: 'the answer as one line of JSON' } } as const;

/** The settings that say where the control socket is. */
export const WHERE = ['control-socket', 'state-dir', 'config'] as const satisfies readonly FlagName[];

/** The flags that a command takes beside its own options. */
export function flagsOf({ takesSettings, isLocal }: ClientCommand): readonly FlagName[] {
  if (takesSettings === true) return FLAG_NAMES;
  return isLocal === true ? [] : WHERE;
}

/** What each exit code of a command says. */
export function exitCodesOf({ isLocal, exitCodes = {} }: ClientCommand): [code: number, says: string][] {
  const failures = [
    isLocal === true ? undefined : 'no program runs, or it cannot be asked',
    exitCodes[1] ?? (isLocal === true ? 'it failed' : undefined),
  ];
  return [
    [0, exitCodes[0] ?? 'done'],
    [1, failures.filter((each) => each !== undefined).join(', or ')],
    [2, 'wrong usage'],
  ];
}

/** Prints an answer: as JSON where that is asked for, else as text for people. */
export function print(context: CommandContext, answer: unknown, text: () => string): void {
  context.io.stdout(context.hasSwitch('json') ? `${JSON.stringify(answer)}\n` : text());
}
