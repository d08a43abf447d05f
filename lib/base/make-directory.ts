/**
 * A directory, made with those above it.
 */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a directory, and those above it, for nobody but us; one that is there is left as it is. Others may make the same ones meanwhile.
 *
 * Node's own `recursive` never returns where a directory that is there denies it, as those of `/proc` do.
 *
 * @throws the system's error.
 */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await makeOne(path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
    const parent = dirname(path);
    if (!(await isDirectory(parent))) await makeDirectory(parent);
    // The parent is there, be it that somebody else has just made it.
    await makeOne(path);
  }
}

async function makeOne(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST' || !(await isDirectory(path))) throw thrown;
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}
