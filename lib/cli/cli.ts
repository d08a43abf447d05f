/**
 * The command line: commands and flags, by yargs from the one table, and how errors end the program.
 *
 * Whatever goes wrong is one sentence on stderr, `peter-sslers-proxy: …`. Exit code 2: a wrong flag, or a file that one
 * names; 1: everything else. The stack follows with `--log-level debug` only.
 */
import type { Argv } from 'yargs';
import { DEFAULTS, environmentName, flag, FLAG_NAMES } from '../config/flags.js';
import { loadSettings } from '../config/load.js';
import { parseLogLevel } from '../config/log-level.js';
import { describeError, ProxyError, usageError } from '../domain/errors.js';
import { canonicalArguments, wordsOf } from './arguments.js';
import { clientCommand, COMMANDS } from './commands.js';
import type { CliIo } from './io.js';
import { givenValues, loadInput, type GivenValues } from './load-input.js';
import { newParser, PROGRAM, runParser } from './parser.js';
import { runCommand } from './run-command.js';
import type { StartFunction } from './start.js';
import { noCommand, unknownWord } from './usage.js';

export interface CliOptions {
  readonly start: StartFunction;
  /** Throws, with a clause for its message, when a text is no htpasswd file. */
  readonly checkHtpasswd?: (text: string) => void;
}

/**
 * Builds the command line.
 *
 * @returns what runs it: takes the arguments (without interpreter and script), and gives the exit code. Never rejects.
 */
export function createCli(options: CliOptions): (argv: readonly string[], io: CliIo) => Promise<number> {
  return async (argv, io) => {
    let flags: GivenValues = {};
    try {
      const client = clientCommand(argv[0] === 'help' ? argv[1] : argv[0]);
      if (client !== undefined) {
        return await runCommand(client, argv[0] === 'help' ? ['--help'] : argv.slice(1), io, options);
      }
      const canonical = canonicalArguments(argv);
      const misplaced = clientCommand(wordsOf(canonical)[0])?.name;
      if (misplaced !== undefined) {
        throw usageError(`put the command first: ${misplaced} (see ${misplaced} --help)`);
      }
      let command: string | undefined;
      const { values, output } = await parse(argv, canonical, (name) => (command = name));
      flags = values;
      if (output !== '') {
        io.stdout(`${output}\n`);
        return 0;
      }
      if (command === undefined) throw usageError(noCommand());
      return await options.start(() => loadSettings(loadInput(values, io, options.checkHtpasswd)), io);
    } catch (error) {
      io.stderr(`${PROGRAM}: ${oneLine(describeError(error))}\n`);
      if (isDebug(flags, io) && error instanceof Error) io.stderr(`${error.stack ?? ''}\n`);
      return error instanceof ProxyError && error.code === 'ERR_USAGE' ? 2 : 1;
    }
  };
}

/** @param argv as typed. @param canonical the same, canonical. */
async function parse(
  argv: readonly string[],
  canonical: readonly string[],
  chosen: (command: string) => void,
): Promise<{ values: GivenValues; output: string }> {
  const isHelp = canonical.some((token) => /^(?:--)?help$/.test(token));
  const parser = withCommands(withFlags(newParser(), isHelp), chosen)
    .usage('$0 COMMAND [flags]')
    .epilogue(
      'Durations are seconds (90, 0.5) or 500ms, 10m, 1h30m, 2d; sizes are bytes or 64K, 256MiB, 1G, in steps of 1024. ' +
        'Dashes and underscores are equal; --no-wildcards is --wildcards=false. A flag goes before its environment variable (--cert-dir: ' +
        `${environmentName('cert-dir')}), that before --config, and that before the default.`,
    )
    .fail((message, error) => {
      // yargs passes undefined where there is no error, whatever its types say.
      throw (error as Error | undefined) ?? usageError(unknownWord(message, argv, wordsOf(canonical)));
    });
  const { parsed, output } = await runParser(parser, canonical);
  return { values: givenValues(parsed), output };
}

function withCommands(parser: Argv, chosen: (command: string) => void): Argv {
  return COMMANDS.reduce(
    (built, { name, description }) => built.command(name, description, {}, () => chosen(name)),
    parser,
  );
}

/** yargs puts the help together for every command that it runs; without the flags in it that takes 2 ms instead of 60. */
function withFlags(parser: Argv, isHelp: boolean): Argv {
  return FLAG_NAMES.reduce((built, name) => {
    const { value, description, repeatable } = flag(name);
    return built.option(name, {
      describe: `${value}${repeatable === true ? ' …' : ''}  ${description}`,
      defaultDescription: DEFAULTS[name],
      global: true,
      hidden: !isHelp,
    });
  }, parser);
}

function isDebug(flags: GivenValues, io: CliIo): boolean {
  return parseLogLevel(flags['log-level']?.at(-1) ?? io.env[environmentName('log-level')] ?? '') === 'debug';
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, ' ');
}
