/**
 * The command line: commands and flags, by yargs from the one table, and how errors end the program.
 *
 * Whatever goes wrong is one sentence on stderr, `peter-sslers-proxy: …`. Exit code 2: a wrong flag, or a file that one
 * names; 1: everything else. The stack follows with `--log-level debug` only.
 */
import yargs, { type Argv } from 'yargs';
import { VERSION } from '../base/version.js';
import { DEFAULTS, environmentName, flag, FLAG_NAMES, type FlagName } from '../config/flags.js';
import { loadSettings, type Loaded } from '../config/load.js';
import { describeError, ProxyError, usageError } from '../domain/errors.js';
import { canonicalArguments } from './arguments.js';
import type { CliIo } from './io.js';
import type { StartFunction } from './start.js';

const PROGRAM = 'peter-sslers-proxy';

export interface CliOptions {
  readonly start: StartFunction;
  /** Throws, with a clause for its message, when a text is no htpasswd file. */
  readonly checkHtpasswd?: (text: string) => void;
}

/** The flags that were given, each with its values. */
type GivenValues = Partial<Record<FlagName, readonly string[]>>;

/**
 * Builds the command line.
 *
 * @returns what runs it: takes the arguments (without interpreter and script), and gives the exit code. Never rejects.
 */
export function createCli(options: CliOptions): (argv: readonly string[], io: CliIo) => Promise<number> {
  return async (argv, io) => {
    let flags: GivenValues = {};
    try {
      const canonical = canonicalArguments(argv);
      let command: string | undefined;
      const { values, output } = await parse(canonical, (name) => (command = name));
      flags = values;
      if (output !== '') {
        io.stdout(`${output}\n`);
        return 0;
      }
      if (command === undefined) throw usageError('name a command: start (see --help)');
      return await options.start(() => load(values, io, options), io);
    } catch (error) {
      io.stderr(`${PROGRAM}: ${oneLine(describeError(error))}\n`);
      if (isDebug(flags, io) && error instanceof Error) io.stderr(`${error.stack ?? ''}\n`);
      return error instanceof ProxyError && error.code === 'ERR_USAGE' ? 2 : 1;
    }
  };
}

function load(flags: GivenValues, io: CliIo, { checkHtpasswd }: CliOptions): Loaded {
  return loadSettings({
    flags,
    env: io.env,
    readFile: io.readFile,
    cwd: io.cwd,
    cpuCount: io.cpuCount,
    nowMs: io.now(),
    ...(checkHtpasswd && { checkHtpasswd }),
  });
}

async function parse(
  argv: readonly string[],
  chosen: (command: string) => void,
): Promise<{ values: GivenValues; output: string }> {
  let output = '';
  const parser = withFlags(
    yargs().scriptName(PROGRAM),
    argv.some((token) => /^(?:--)?help$/.test(token)),
  )
    .usage('$0 COMMAND [flags]')
    .command('start', 'run in the foreground', {}, () => chosen('start'))
    .parserConfiguration({
      // Values stay the text that they are: what it means is for the configuration to say.
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'boolean-negation': false,
      'strip-aliased': true,
    })
    .detectLocale(false)
    .strict()
    .exitProcess(false)
    .help()
    .version(VERSION)
    .wrap(100)
    .epilogue(
      'Dashes and underscores are equal; --no-wildcards is --wildcards=false. A flag goes before its environment variable (--cert-dir: ' +
        `${environmentName('cert-dir')}), that before --config, and that before the default.`,
    )
    .fail((message, error) => {
      // yargs passes undefined where there is no error, whatever its types say.
      throw (error as Error | undefined) ?? usageError(usageSentence(message));
    });
  const parsed: Record<string, unknown> = await parser.parseAsync([...argv], {}, (_error, _argv, text) => {
    output = text;
  });
  const values = FLAG_NAMES.flatMap((name) => {
    const value = parsed[name];
    return value === undefined ? [] : [[name, (Array.isArray(value) ? value : [value]).map(String)] as const];
  });
  return { values: Object.fromEntries(values), output };
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

function usageSentence(message: string | null): string {
  const unknown = /^Unknown (?:argument|command)s?: (.*)$/.exec(message ?? '')?.[1];
  if (unknown === undefined) return `${message ?? 'wrong usage'} (see --help)`;
  return `${JSON.stringify(unknown)} is no command: the only one is start (see --help)`;
}

function isDebug(flags: GivenValues, io: CliIo): boolean {
  return (flags['log-level']?.at(-1) ?? io.env[environmentName('log-level')]) === 'debug';
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, ' ');
}
