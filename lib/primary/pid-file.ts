/**
 * `--pid-file`: the process id of the primary, as long as it runs.
 *
 * Two programs may have been given one file. It is the later one's then: the earlier one leaves it alone when it ends.
 */
import { readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { codeOf, describeError, environmentError, usageError } from '../domain/errors.js';
import type { Logger } from '../log/logger.js';
import { systemProcesses } from './processes.js';

/** Failures that only another path mends. After any other (a full disk, no permission) the same start may succeed. */
const WRONG_PATHS: ReadonlySet<string | undefined> = new Set(['ENOENT', 'EISDIR', 'ENOTDIR']);
/** How the title of every primary begins. */
const TITLE = 'peter-sslers-proxy: primary';

/** @throws ProxyError ERR_USAGE: there is no such place; ERR_ENVIRONMENT: it cannot be written now. */
export function writePidFile(path: string, log: Logger): void {
  const earlier = pidIn(path);
  // In a container an earlier run may have had the id that is ours now.
  const isAnothers = earlier !== undefined && earlier !== process.pid;
  if (isAnothers && systemProcesses.read(earlier)?.command.startsWith(TITLE) === true) {
    log.notice('--pid-file held the process id of another program of ours, which runs', {
      path,
      of: earlier,
    });
  }
  try {
    writeFileSync(path, `${process.pid}\n`);
  } catch (thrown) {
    const code = codeOf(thrown);
    if (WRONG_PATHS.has(code)) throw usageError(`--pid-file ${path}: ${describeError(thrown)}`, thrown);
    const why = code === 'EACCES' ? 'no permission to write it' : describeError(thrown);
    throw environmentError(`--pid-file ${path}: ${why}`, thrown);
  }
}

/** Removes the file, if it is still ours. Never throws. */
export function removePidFile(path: string): void {
  if (pidIn(path) !== process.pid) return;
  try {
    unlinkSync(path);
  } catch {
    // It is gone already.
  }
}

/** Undefined: there is none. */
function pidIn(path: string): number | undefined {
  try {
    // What is no file may keep its reader waiting for ever.
    const pid = statSync(path).isFile() ? Number(readFileSync(path, 'utf8')) : 0;
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}
