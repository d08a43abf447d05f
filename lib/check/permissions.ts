/**
 * Who may read and write files.
 */
import { access, constants, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

const READ_BY_ALL = 0o004;
const ENTER_BY_ALL = 0o001;

/**
 * Whether everybody on the machine may read a file: its own mode says so, and so does that of every folder above it. False where
 * it cannot be told.
 */
export async function isReadByAll(path: string): Promise<boolean> {
  try {
    let at = await realpath(path);
    if (((await stat(at)).mode & READ_BY_ALL) === 0) return false;
    while (dirname(at) !== at) {
      at = dirname(at);
      if (((await stat(at)).mode & ENTER_BY_ALL) === 0) return false;
    }
    return true;
  } catch {
    return false;
  }
}

/**
 * Why files cannot be made in a folder, as a clause; undefined where they can. One that is missing is made by the program: then it
 * goes by the nearest one above that is there.
 */
export async function obstacleToWriting(folder: string): Promise<string | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    try {
      if (!(await stat(at)).isDirectory()) return `${at} is not a directory`;
      await access(at, constants.W_OK | constants.X_OK);
      return undefined;
    } catch (thrown) {
      const { code = 'unknown error' } = thrown as NodeJS.ErrnoException;
      if (code === 'ENOENT' && dirname(at) !== at) continue;
      if (code === 'EROFS') return `${at} is on a read-only file system`;
      return code === 'EACCES' ? `no permission to write in ${at}` : `${at} cannot be used (${code})`;
    }
  }
}
