/**
 * Writes a file so that whoever reads it finds the old one or the new one, and never a part.
 */
import { chmod, chown, open, realpath, rename, rm, stat } from 'node:fs/promises';

/** Of a new file: it may hold secrets. */
const PRIVATE_MODE = 0o600;

/**
 * Replaces a file, or makes it. One that is there keeps its mode and, where we may give it, its owner; a link stays, and what it leads to
 * is replaced.
 *
 * @throws the system's error.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const before = await stat(target).catch(() => undefined);
  const draft = `${target}.${process.pid}.new`;
  try {
    const file = await open(draft, 'wx', PRIVATE_MODE);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    if (before !== undefined) {
      // Only root may give a file away.
      await chown(draft, before.uid, before.gid).catch(() => undefined);
      await chmod(draft, before.mode & 0o7777);
    }
    await rename(draft, target);
  } catch (thrown) {
    await rm(draft, { force: true });
    throw thrown;
  }
}
