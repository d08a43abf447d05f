/**
 * The program: the command line with everything that it runs. What `bin/peter-sslers-proxy` loads.
 */
import { parseHtpasswd } from '../admin/htpasswd.js';
import { runPrimary } from '../primary/run.js';
import { createCli } from './cli.js';
import { processIo, type TakeSignals } from './io.js';

export { createCli } from './cli.js';

/**
 * Runs a command.
 *
 * @param argv without the interpreter and the script.
 * @param takeSignals see `CliIo`.
 * @returns the exit code. Never rejects.
 */
export function run(argv: readonly string[], takeSignals?: TakeSignals): Promise<number> {
  const cli = createCli({ start: runPrimary, checkHtpasswd: (text) => void parseHtpasswd(text) });
  return cli(argv, processIo(takeSignals));
}
