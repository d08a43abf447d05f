/**
 * A wall clock that a test steps while the real program runs: libfaketime, loaded into the program and its workers. The
 * monotonic clock stays the system's, as it does when an administrator sets the time.
 *
 *     const clock = await makeSteppedClock();
 *     await using program = await startProgram(flags, { env: clock.env });
 *     await clock.step(3_600_000);
 *     …
 *     await clock.remove();
 */
import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SteppedClock {
  /** For the program that is to go by it. */
  readonly env: Readonly<Record<string, string>>;
  /** How far it is from the system's now, milliseconds. */
  readonly offsetMs: number;
  /** Steps it, in all processes at once. @param offsetMs whole seconds, from the system's clock; may be negative */
  step(offsetMs: number): Promise<void>;
  remove(): Promise<void>;
}

/** Debian has it in a folder for the architecture below the first of these, others in one of the rest. */
const LIBRARY_FOLDERS = ['/usr/lib', '/usr/lib64', '/usr/local/lib'];
const LIBRARY = join('faketime', 'libfaketime.so.1');

/** @throws Error where libfaketime is not installed. */
export async function makeSteppedClock(): Promise<SteppedClock> {
  const library = await findLibrary();
  const dir = await mkdtemp(join(tmpdir(), 'peter-sslers-proxy-clock-'));
  const path = join(dir, 'offset');
  let offsetMs = 0;
  const step = async (toMs: number): Promise<void> => {
    const seconds = toMs / 1_000;
    // It is read with every look at the clock: never half of it.
    await writeFile(`${path}.new`, `${seconds < 0 ? '' : '+'}${seconds}`);
    await rename(`${path}.new`, path);
    offsetMs = toMs;
  };
  await step(0);
  return {
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: path,
      FAKETIME_NO_CACHE: '1',
      // The second is what versions before 0.9.10 call it.
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    },
    get offsetMs() {
      return offsetMs;
    },
    step,
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}

async function findLibrary(): Promise<string> {
  for (const folder of LIBRARY_FOLDERS) {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    const below = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
    for (const parent of [folder, ...below]) {
      const inside: readonly string[] = await readdir(join(parent, 'faketime')).catch(() => []);
      if (inside.includes('libfaketime.so.1')) return join(parent, LIBRARY);
    }
  }
  throw new Error(
    `libfaketime is not installed (looked for ${LIBRARY} below ${LIBRARY_FOLDERS.join(', ')}): apt-get install faketime`,
  );
}
