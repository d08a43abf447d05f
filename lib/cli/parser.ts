/**
 * What the parsers of all commands share: yargs, told to leave the meaning of values, the language and the end of the process to us.
 */
import yargs, { type Argv } from 'yargs';
import { VERSION } from '../base/version.js';

export const PROGRAM = 'peter-sslers-proxy';

export function newParser(): Argv {
  return yargs()
    .scriptName(PROGRAM)
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
    .alias('help', 'h')
    .version(VERSION)
    .alias('version', 'V')
    .wrap(100);
}

/** @returns what yargs makes of the arguments, and what it would print (help, version). */
export async function runParser(
  parser: Argv,
  argv: readonly string[],
): Promise<{ parsed: Record<string, unknown>; output: string }> {
  let output = '';
  const parsed: Record<string, unknown> = await parser.parseAsync([...argv], {}, (_error, _argv, text) => {
    output = text;
  });
  return { parsed, output };
}
