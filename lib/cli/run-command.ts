/**
 * Runs a command that is not `start`: its words and switches, by yargs from its definition; the flags that it takes; and where the
 * control socket is, from the same places as all settings.
 */
import { join } from 'node:path';
import type { Argv } from 'yargs';
import { nearest } from '../base/nearest.js';
import { DEFAULTS, flag } from '../config/flags.js';
import type { LoadInput } from '../config/load.js';
import { gather } from '../config/precedence.js';
import { usageError } from '../domain/errors.js';
import { canonicalArguments } from './arguments.js';
import { exitCodesOf, flagsOf, WHERE, type ClientCommand, type CommandContext } from './command.js';
import { controlClient } from './control-client.js';
import type { CliIo } from './io.js';
import { givenValues, loadInput } from './load-input.js';
import { newParser, runParser } from './parser.js';

export interface RunCommandOptions {
  /** See `CliOptions`. */
  readonly checkHtpasswd?: (text: string) => void;
}

/** @param argv what follows the command's name. @returns the exit code. @throws ProxyError. */
export async function runCommand(
  command: ClientCommand,
  argv: readonly string[],
  io: CliIo,
  { checkHtpasswd }: RunCommandOptions = {},
): Promise<number> {
  const tokens =
    command.takesSettings === true
      ? canonicalArguments(argv, Object.keys(command.options))
      : argv.map(withDashes);
  const { parsed, output } = await parse(command, tokens);
  if (output !== '') {
    io.stdout(`${output}\n`);
    return 0;
  }
  const input = loadInput(givenValues(parsed), io, checkHtpasswd);
  const lastOf = (name: string): unknown => [parsed[name]].flat().at(-1);
  const context: CommandContext = {
    io,
    ask: (op, params, timeoutMs) => controlClient(context.socketPath)(op, params, timeoutMs),
    get socketPath() {
      return socketPathOf(input);
    },
    input,
    operands: operandsOf(command, parsed),
    hasSwitch: (name) => lastOf(name) === true,
    optionOf: (name) => {
      const value = lastOf(name);
      return typeof value === 'string' ? value : undefined;
    },
  };
  return command.run(context);
}

async function parse(
  command: ClientCommand,
  argv: readonly string[],
): Promise<{ parsed: Record<string, unknown>; output: string }> {
  const { name, operands, says, options, takesSettings = false } = command;
  const parser = withOptions(newParser(), command)
    .command(`$0 ${operands}`.trim(), says)
    .usage(`${`$0 ${name} ${operands}`.trim()}\n\n${says}`)
    .epilogue(
      (takesSettings ? 'It takes all flags of start, too: see start --help. ' : '') +
        `Exit codes: ${exitCodesOf(command)
          .map(([code, meaning]) => `${code}: ${meaning}`)
          .join('; ')}.`,
    )
    .fail((message) => {
      throw usageError(sentenceOf(command, message));
    });
  const known = [...Object.keys(options), ...flagsOf(command), 'help', 'version'];
  for (const token of argv) refuseUnknown(name, token, known);
  return runParser(parser, argv);
}

function withOptions(parser: Argv, command: ClientCommand): Argv {
  const own = Object.entries(command.options).reduce(
    (built, [name, { says, value }]) =>
      built.option(name, {
        describe: value === undefined ? says : `${value}  ${says}`,
        type: value === undefined ? 'boolean' : 'string',
        ...(value !== undefined && { requiresArg: true }),
      }),
    parser,
  );
  return flagsOf(command).reduce((built, name) => {
    const { value, description } = flag(name);
    return built.option(name, {
      describe: `${value}  ${description}`,
      defaultDescription: DEFAULTS[name],
      type: 'string',
      requiresArg: true,
      // All of them would be four screens.
      hidden: command.takesSettings === true,
    });
  }, own);
}

/** `--control_socket` is `--control-socket`. */
function withDashes(token: string): string {
  return token.replace(/^--[^=]+/, (name) => name.replaceAll('_', '-'));
}

function refuseUnknown(command: string, token: string, known: readonly string[]): void {
  const [, name = ''] = /^--?([^=]+)/.exec(token) ?? [];
  if (name === '' || known.includes(name) || ['-h', '-V'].includes(token)) return;
  const guess = nearest(name, known);
  const hint = guess === undefined ? `, see ${command} --help` : `: did you mean --${guess}?`;
  throw usageError(`${command}: unknown flag ${JSON.stringify(token.replace(/=[\s\S]*/, ''))}${hint}`);
}

/** @param message yargs' own. */
function sentenceOf({ name, operands }: ClientCommand, message: string | null): string {
  if (/^Not enough non-option arguments/.test(message ?? ''))
    return `${name} needs ${operands} (see ${name} --help)`;
  const valueless = /^Not enough arguments following: (.*)$/.exec(message ?? '')?.[1];
  if (valueless !== undefined) return `${name}: --${valueless} needs a value`;
  const unknown = /^Unknown (?:argument|command)s?: (.*)$/.exec(message ?? '')?.[1];
  if (unknown !== undefined)
    return `${name}: ${JSON.stringify(unknown)} is one word too many (see ${name} --help)`;
  return `${name}: ${message ?? 'wrong usage'} (see ${name} --help)`;
}

/** The words that belong to the names in `<what> [NAMES..]`, in their order. */
function operandsOf({ operands }: ClientCommand, parsed: Record<string, unknown>): string[] {
  return Array.from(operands.matchAll(/[<[](\w+)/g), ([, name = '']) => parsed[name]).flatMap((value) => {
    // What yargs makes of a lone dash.
    if (value === true) return ['-'];
    return Array.isArray(value) ? value.map(String) : typeof value === 'string' ? [value] : [];
  });
}

/** By flag, environment or configuration file, else in the state directory. Nothing else of the settings is read. */
function socketPathOf({ flags, ...input }: LoadInput): string {
  const where = Object.fromEntries(
    Object.entries(flags).filter(([name]) => WHERE.some((own) => own === name)),
  );
  const { given } = gather({ ...input, flags: where });
  return given.path('control-socket') ?? join(given.path('state-dir') ?? input.cwd, 'control.sock');
}
