/**
 * The command `start`: run in the foreground until a signal ends it.
 */
import type { Loaded } from '../config/load.js';
import type { CliIo } from './io.js';

/**
 * Runs the proxy.
 *
 * @param load loads the settings: at the start, and again at every reload. Throws ERR_USAGE. The warnings that come with
 *   them are for the log.
 * @returns the exit code.
 */
export type StartFunction = (load: () => Loaded, io: CliIo) => Promise<number>;
