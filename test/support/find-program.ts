/**
 * Programs of Debian's that tests start. `test/setup.sh` installs them.
 */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/**
 * Where a program is.
 *
 * @param debianPackage what to install where it is not.
 * @throws Error it is not installed; what to install.
 */
export function findProgram(name: string, debianPackage: string): string {
  // Where servers are may not be in the path of who is not root.
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin'];
  const path = folders.map((folder) => join(folder, name)).find(isExecutable);
  if (path === undefined) throw new Error(`${name} is needed: apt-get install ${debianPackage}`);
  return path;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
