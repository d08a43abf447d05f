/**
 * The program: the command line with everything that it runs. What `bin/peter-sslers-proxy` loads.
 */
import { parseHtpasswd } from '../admin/htpasswd.js';
import { createCli } from './cli.js';
import { processIo, type TakeSignals } from './io.js';
import { guardOutput } from './output.js';
import type { StartFunction } from './start.js';

export { createCli } from './cli.js';

/**
 * Runs a command.
 *
 * @param argv without the interpreter and the script.
 * @param takeSignals see `CliIo`.
 * @returns the exit code. Never rejects.
 */
export function run(argv: readonly string[], takeSignals?: TakeSignals): Promise<number> {
  const output = guardOutput();
  /** The proxy is loaded when it is to run: a command that asks a running one is done before that would be. */
  const start: StartFunction = async (load, io) => {
    output.release();
    return (await import('../primary/run.js')).runPrimary(load, io);
  };
  const cli = createCli({ start, checkHtpasswd: (text) => void parseHtpasswd(text) });
  return cli(argv, processIo(output.closed, takeSignals));
}
