/**
 * `--pid-file`: the process id of the primary, as long as it runs.
 *
 * Two programs may have been given one file. It is the later one's then: the earlier one leaves it alone when it ends.
 */
import { readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { codeOf, describeError, fileError } from '../domain/errors.js';
import type { Logger } from '../log/logger.js';
import { systemProcesses } from './processes.js';

/** How the title of every primary begins. */
const TITLE = 'peter-sslers-proxy: primary';

/** @throws ProxyError as of `fileError`: it cannot be written. */
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
    const why = codeOf(thrown) === 'EACCES' ? 'no permission to write it' : describeError(thrown);
    throw fileError(`--pid-file ${path}: ${why}`, thrown);
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
