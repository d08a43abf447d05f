/**
 * Runs a command that talks to a running program: its words and switches, by yargs from its definition, and where the control
 * socket is, from the same places as all settings.
 */
import { join } from 'node:path';
import yargs, { type Argv } from 'yargs';
import { nearest } from '../base/nearest.js';
import { VERSION } from '../base/version.js';
import { DEFAULTS, flag, type FlagName } from '../config/flags.js';
import { gather } from '../config/precedence.js';
import { usageError } from '../domain/errors.js';
import type { ClientCommand, CommandContext } from './command.js';
import { controlClient } from './control-client.js';
import type { CliIo } from './io.js';

const PROGRAM = 'peter-sslers-proxy';
/** The settings that say where the control socket is. */
const WHERE = ['control-socket', 'state-dir', 'config'] as const satisfies readonly FlagName[];

/** @param argv what follows the command's name. @returns the exit code. @throws ProxyError. */
export async function runCommand(
  command: ClientCommand,
  argv: readonly string[],
  io: CliIo,
): Promise<number> {
  const { parsed, output } = await parse(command, argv.map(withDashes));
  if (output !== '') {
    io.stdout(`${output}\n`);
    return 0;
  }
  const socketPath = socketPathOf(parsed, io);
  const textOf = (name: string): string | undefined => {
    const value = parsed[name];
    return typeof value === 'string' ? value : undefined;
  };
  const context: CommandContext = {
    io,
    ask: controlClient(socketPath),
    socketPath,
    operands: operandsOf(command, parsed),
    hasSwitch: (name) => parsed[name] === true,
    optionOf: textOf,
  };
  return command.run(context);
}

async function parse(
  command: ClientCommand,
  argv: readonly string[],
): Promise<{ parsed: Record<string, unknown>; output: string }> {
  let output = '';
  const { name, operands, says, exitCodes = {}, options } = command;
  const parser = withOptions(yargs().scriptName(PROGRAM), command)
    .command(`$0 ${operands}`.trim(), says)
    .usage(`${`$0 ${name} ${operands}`.trim()}\n\n${says}`)
    .parserConfiguration({
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'boolean-negation': false,
      'duplicate-arguments-array': false,
    })
    .detectLocale(false)
    .strict()
    .exitProcess(false)
    .help()
    .alias('help', 'h')
    .version(VERSION)
    .alias('version', 'V')
    .wrap(100)
    .epilogue(
      `Exit codes: 0; 1: no program runs, or it cannot be asked${exitCodes[1] === undefined ? '' : `, or ${exitCodes[1]}`}; 2: wrong usage.`,
    )
    .fail((message) => {
      throw usageError(sentenceOf(command, message));
    });
  const known = [...Object.keys(options), ...WHERE, 'help', 'version'];
  for (const token of argv) refuseUnknown(name, token, known);
  const parsed: Record<string, unknown> = await parser.parseAsync([...argv], {}, (_error, _argv, text) => {
    output = text;
  });
  return { parsed, output };
}

function withOptions(parser: Argv, { options }: ClientCommand): Argv {
  const own = Object.entries(options).reduce(
    (built, [name, { says, value }]) =>
      built.option(name, {
        describe: value === undefined ? says : `${value}  ${says}`,
        type: value === undefined ? 'boolean' : 'string',
        ...(value !== undefined && { requiresArg: true }),
      }),
    parser,
  );
  return WHERE.reduce((built, name) => {
    const { value, description } = flag(name);
    return built.option(name, {
      describe: `${value}  ${description}`,
      defaultDescription: DEFAULTS[name],
      type: 'string',
      requiresArg: true,
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
    if (value === true || value === '') return ['-'];
    return Array.isArray(value) ? value.map(String) : typeof value === 'string' ? [value] : [];
  });
}

/** By flag, environment or configuration file, else in the state directory. Nothing else of the settings is read. */
function socketPathOf(parsed: Record<string, unknown>, io: CliIo): string {
  const flags = Object.fromEntries(
    WHERE.flatMap((name) => (typeof parsed[name] === 'string' ? [[name, [parsed[name]]]] : [])),
  );
  const { given } = gather({ flags, env: io.env, readFile: io.readFile, cwd: io.cwd });
  return given.path('control-socket') ?? join(given.path('state-dir') ?? io.cwd, 'control.sock');
}
