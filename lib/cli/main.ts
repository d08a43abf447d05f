/**
 * The program: the command line with everything that it runs. What `bin/peter-sslers-proxy` loads.
 */
import { parseHtpasswd } from '../admin/htpasswd.js';
import { runPrimary } from '../primary/run.js';
import { createCli } from './cli.js';
import { processIo, type CliIo } from './io.js';

export { createCli } from './cli.js';

/**
 * Runs a command.
 *
 * @param argv without the interpreter and the script.
 * @returns the exit code. Never rejects.
 */
export function run(argv: readonly string[], io: CliIo = processIo()): Promise<number> {
  return createCli({ start: runPrimary, checkHtpasswd: (text) => void parseHtpasswd(text) })(argv, io);
}
