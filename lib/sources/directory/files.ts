/**
 * How the directory source looks at files: stamps that differ whenever a file has changed, and bounded reading.
 */
import { close, lstat, open, read, stat, type BigIntStats } from 'node:fs';

/** A file as it was. */
export interface Stamp {
  /** Differs when the file has been written, replaced, or is another one behind a link. */
  readonly text: string;
  /**
   * It was changed so shortly before that another change may leave the same stamp: file systems count in ticks of up to two
   * seconds. To be read again next time.
   */
  readonly isRacy: boolean;
  readonly stats: BigIntStats;
}

/** The coarsest tick of a file system in use is FAT's. */
const TICK_MS = 2_000;
/** No chain is that long. The bound keeps a mistaken link to a disk image from being read into memory. */
const MAX_FILE_BYTES = 1_048_576;
const GONE: readonly unknown[] = ['ENOENT', 'ENOTDIR'];

/**
 * Looks at a file, or at what a link leads to. With callbacks: promises make a look cost half as much again, and there are tens
 * of thousands in each reading of a large directory.
 *
 * @param now milliseconds since 1970. Asked at each look: a first reading may take longer than a tick.
 * @throws the system's error.
 */
export function stampOf(path: string, now: () => number): Promise<Stamp> {
  const fromMs = now();
  return new Promise((resolve, reject) => {
    stat(path, { bigint: true }, (error, stats) => {
      if (error !== null) reject(error);
      else resolve(stampFrom(stats, fromMs, now()));
    });
  });
}

/** @param fromMs,untilMs the look was between them. A file with a later date does not count as racy: its date is wrong. */
function stampFrom(stats: BigIntStats, fromMs: number, untilMs: number): Stamp {
  const { dev, ino, size, mtimeNs, ctimeNs, mtimeMs, ctimeMs } = stats;
  const changedMs = Number(mtimeMs > ctimeMs ? mtimeMs : ctimeMs);
  return {
    // Joined, not pasted: V8 keeps the parts of a pasted string, which are several times as large.
    text: [dev, ino, size, mtimeNs, ctimeNs].join(':'),
    isRacy: changedMs > fromMs - TICK_MS && changedMs < untilMs + TICK_MS,
    stats,
  };
}

/** Whether nothing of that name is there: no link that leads nowhere either, nor something that we may not look at. */
export function isGone(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    lstat(path, (error) => resolve(error !== null && GONE.includes(error.code)));
  });
}

/** Several files at once. */
export interface Look {
  /** They differ when one of the files has changed. A file that cannot be looked at has the system's error code instead. */
  readonly stamps: readonly string[];
  /** Of those that could be looked at, by path. */
  readonly stats: ReadonlyMap<string, BigIntStats>;
  readonly isRacy: boolean;
}

/** Looks at files. Never rejects. @param now as for `stampOf`. */
export function lookAt(paths: readonly string[], now: () => number): Promise<Look> {
  const fromMs = now();
  return new Promise((resolve) => {
    const stamps: string[] = [];
    const found = new Map<string, BigIntStats>();
    let isRacy = false;
    let left = paths.length;
    for (const [index, path] of paths.entries()) {
      stat(path, { bigint: true }, (error, stats) => {
        if (error === null) {
          const stamp = stampFrom(stats, fromMs, now());
          stamps[index] = stamp.text;
          isRacy ||= stamp.isRacy;
          found.set(path, stats);
        } else {
          stamps[index] = error.code ?? 'unknown';
        }
        left -= 1;
        if (left === 0) resolve({ stamps, stats: found, isRacy });
      });
    }
  });
}

/**
 * Reads a file whole.
 *
 * @param known what has just been seen of it; looked at anew without.
 * @throws Error whose message has the path.
 */
export async function readText(path: string, known?: BigIntStats): Promise<string> {
  const stats = known ?? (await stampOf(path, Date.now)).stats;
  // Opening a pipe would wait for somebody to write into it.
  if (!stats.isFile()) throw new Error(`${path} is not a file`);
  if (stats.size > MAX_FILE_BYTES) throw new Error(`${path} is longer than 1 MiB`);
  return readAll(path, Number(stats.size));
}

/** In three calls, where `readFile` makes five; one that has grown meanwhile is read as long as it was. */
function readAll(path: string, size: number): Promise<string> {
  return new Promise((resolve, reject) => {
    open(path, 'r', (openError, descriptor) => {
      if (openError !== null) {
        reject(openError);
        return;
      }
      const bytes = Buffer.allocUnsafe(size);
      read(descriptor, bytes, 0, size, 0, (readError, length) => {
        close(descriptor, () => {
          if (readError !== null) reject(readError);
          else if (length < size) reject(new Error(`${path} has been cut while it was read`));
          else resolve(bytes.toString('utf8'));
        });
      });
    });
  });
}

/** Does the work for each item, so many at a time. */
export async function forEachBounded<T>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  // One iterator for all: each takes what the others have not.
  const rest = items[Symbol.iterator]();
  const takeTurns = async (): Promise<void> => {
    for (let next = rest.next(); next.done !== true; next = rest.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: limit }, takeTurns));
}
