/**
 * How the directory source looks at files: stamps that differ whenever a file has changed, and bounded reading.
 *
 * Each operation takes one of the four threads that Node has for files, host names and keys. Where a network file system does not
 * answer, it never gives it back: so the operations of one directory take turns, a few at once, and leave threads to the others.
 */
import {
  close,
  lstat,
  open,
  opendir,
  read,
  readdir,
  stat,
  type BigIntStats,
  type Dirent,
  type NoParamCallback,
} from 'node:fs';

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
/** Of one directory: half of the threads. A start is as quick as with more, as it is bound by what is done with the answers. */
const MAX_AT_ONCE = 2;
const GONE: readonly unknown[] = ['ENOENT', 'ENOTDIR'];

/** Several files at once. */
export interface Look {
  /** They differ when one of the files has changed. A file that cannot be looked at has the system's error code instead. */
  readonly stamps: readonly string[];
  /** Of those that could be looked at, by path. */
  readonly stats: ReadonlyMap<string, BigIntStats>;
  readonly isRacy: boolean;
}

/** The files of one directory. */
export class DirectoryFiles {
  #underWay = 0;
  readonly #waiting: (() => void)[] = [];
  #opening: Promise<void> | undefined;

  /**
   * Looks at a file, or at what a link leads to. With callbacks: promises make a look cost half as much again, and there are tens
   * of thousands in each reading of a large directory.
   *
   * @param now milliseconds since 1970. Asked at each look: a first reading may take longer than a tick.
   * @throws the system's error.
   */
  stampOf(path: string, now: () => number): Promise<Stamp> {
    return new Promise((resolve, reject) => {
      this.#stat(path, now, (outcome) => {
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      });
    });
  }

  /** Whether nothing of that name is there: no link that leads nowhere either, nor something that we may not look at. */
  isGone(path: string): Promise<boolean> {
    return new Promise((resolve) => {
      this.#inTurn((ended) => {
        lstat(path, (error) => {
          ended();
          resolve(error !== null && GONE.includes(error.code));
        });
      });
    });
  }

  /** Looks at files. Never rejects. @param now as for `stampOf`. */
  lookAt(paths: readonly string[], now: () => number): Promise<Look> {
    return new Promise((resolve) => {
      const stamps: string[] = [];
      const found = new Map<string, BigIntStats>();
      let isRacy = false;
      let left = paths.length;
      for (const [index, path] of paths.entries()) {
        this.#stat(path, now, (outcome) => {
          if (outcome instanceof Error) {
            stamps[index] = outcome.code ?? 'unknown';
          } else {
            stamps[index] = outcome.text;
            isRacy ||= outcome.isRacy;
            found.set(path, outcome.stats);
          }
          left -= 1;
          if (left === 0) resolve({ stamps, stats: found, isRacy });
        });
      }
    });
  }

  /** What is in a folder. @throws the system's error. */
  list(path: string): Promise<Dirent[]> {
    return new Promise((resolve, reject) => {
      this.#inTurn((ended) => {
        readdir(path, { withFileTypes: true }, (error, entries) => {
          ended();
          if (error === null) resolve(entries);
          else reject(error);
        });
      });
    });
  }

  /**
   * Opens the directory itself, and closes it again. Who asks while it does not answer waits for the same answer.
   *
   * @throws the system's error.
   */
  tryToOpen(root: string): Promise<void> {
    this.#opening ??= this.#open(root).finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  #open(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#inTurn((ended) => {
        const settle: NoParamCallback = (error) => {
          ended();
          if (error === null) resolve();
          else reject(error);
        };
        opendir(path, (error, folder) => {
          if (error === null) folder.close((closeError) => settle(closeError ?? null));
          else settle(error);
        });
      });
    });
  }

  /**
   * Reads a file whole.
   *
   * @param known what has just been seen of it; looked at anew without.
   * @throws Error whose message has the path.
   */
  async readText(path: string, known?: BigIntStats): Promise<string> {
    const stats = known ?? (await this.stampOf(path, Date.now)).stats;
    // Opening a pipe would wait for somebody to write into it.
    if (!stats.isFile()) throw new Error(`${path} is not a file`);
    if (stats.size > MAX_FILE_BYTES) throw new Error(`${path} is longer than 1 MiB`);
    return this.#readAll(path, Number(stats.size));
  }

  /** In three calls, where `readFile` makes five; one that has grown meanwhile is read as long as it was. */
  #readAll(path: string, size: number): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#inTurn((ended) => {
        open(path, 'r', (openError, descriptor) => {
          if (openError !== null) {
            ended();
            reject(openError);
            return;
          }
          const bytes = Buffer.allocUnsafe(size);
          read(descriptor, bytes, 0, size, 0, (readError, length) => {
            close(descriptor, () => {
              ended();
              if (readError !== null) reject(readError);
              else if (length < size) reject(new Error(`${path} has been cut while it was read`));
              else resolve(bytes.toString('utf8'));
            });
          });
        });
      });
    });
  }

  #stat(path: string, now: () => number, done: (outcome: Stamp | NodeJS.ErrnoException) => void): void {
    this.#inTurn((ended) => {
      const fromMs = now();
      stat(path, { bigint: true }, (error, stats) => {
        ended();
        done(error ?? stampFrom(stats, fromMs, now()));
      });
    });
  }

  /** Begins an operation as soon as not too many are under way, which `ended` of each tells. */
  #inTurn(begin: (ended: () => void) => void): void {
    if (this.#underWay >= MAX_AT_ONCE) {
      this.#waiting.push(() => begin(this.#ended));
      return;
    }
    this.#underWay += 1;
    begin(this.#ended);
  }

  readonly #ended = (): void => {
    // Its turn goes to the next one.
    const next = this.#waiting.shift();
    if (next === undefined) this.#underWay -= 1;
    else next();
  };
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
