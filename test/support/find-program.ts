/**
 * Programs of Debian's that a few tests use where they are installed: too large to be required (`test/setup.sh` has the others).
 */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** Where a program is; undefined: it is not installed. */
export function findProgram(name: string): string | undefined {
  // Where servers are may not be in the path of who is not root.
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin'];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
