/**
 * Where log lines end up: stderr, stdout or a file, written at once, so that nothing is lost when the process exits.
 *
 * A line that cannot be written (a full disk, a reader of stderr that is behind) waits, up to a bound, and is tried again:
 * with the next line, and a little later. Nothing here throws once the file is open, and nothing blocks but `flush`: a pipe that
 * has a path (`/dev/stdout`) neither, whose reader is behind or is not there. (Pino's own destination sleeps in such a case, and its
 * `flushSync` never returns on a full disk.)
 */
import { closeSync, constants, openSync, statSync, writeSync } from 'node:fs';
import { codeOf, fileError } from '../domain/errors.js';

/** Where lines go. Each ends in a newline. */
export interface LogStream {
  write(line: string): unknown;
}

/** The most that waits for a full disk or a slow reader: beyond it lines are dropped. */
const MAX_PENDING_BYTES = 1024 * 1024;
const RETRY_MS = 100;
/** How long `flush` waits for a slow reader. */
const FLUSH_MS = 500;
const FLUSH_STEP_MS = 10;
/** As `a` of `openSync`, but without waiting: for a reader of a pipe when it is opened, or for room in it when it is written. */
const APPENDING = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;
/** The file descriptors. */
export const STDOUT = 1;
export const STDERR = 2;

/** Where a sink writes without a file, and the flag that names its file: by default those of the log. */
export interface SinkKind {
  /** The descriptor to write to where no file is given. */
  readonly fd: typeof STDOUT | typeof STDERR;
  /** The flag that names the file, for error messages. */
  readonly flagName: string;
  /** Absent: what cannot be written is told to nobody. */
  readonly watch?: SinkWatch;
}

/** Who wants to know what becomes of lines. */
export interface SinkWatch {
  /** Lines wait, or are lost. @param code of the system; EAGAIN: a reader is so far behind that they are lost. */
  onFailed(code: string): void;
  /** These will never be written. */
  onLost(lines: number): void;
  /** All there was is written: with every line, while all is well. */
  onWritten(): void;
}

const LOG: SinkKind = { fd: STDERR, flagName: '--log-file' };

/** Writes some of the bytes and returns how many, or throws, as `fs.writeSync` does. */
export type WriteBytes = (fd: number, bytes: Buffer) => number;

export class LineSink implements LogStream {
  readonly #fd: number;
  readonly #isFile: boolean;
  readonly #writeBytes: WriteBytes;
  readonly #watch: SinkWatch | undefined;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #retry: NodeJS.Timeout | undefined;
  /** What the last attempt that failed has failed with. */
  #lastCode = 'EAGAIN';

  /**
   * @param file appended to; absent: the descriptor of its kind, for the log stderr.
   * @param writeBytes for tests.
   * @throws ProxyError as of `fileError`: it cannot be opened for writing.
   */
  constructor(file: string | undefined, writeBytes: WriteBytes = writeSync, kind: SinkKind = LOG) {
    this.#writeBytes = writeBytes;
    this.#watch = kind.watch;
    this.#isFile = file !== undefined;
    if (file === undefined) {
      this.#fd = kind.fd;
      return;
    }
    try {
      // Others may read along as members of the group only: the log has the names of the hosts that are asked for.
      this.#fd = openSync(file, APPENDING, 0o640);
    } catch (error) {
      const reason = reasonOf(error, file, kind);
      throw fileError(`${kind.flagName} names ${file}, which cannot be written: ${reason}`, error);
    }
  }

  write(line: string): void {
    const bytes = Buffer.from(line);
    if (this.#pendingBytes + bytes.length > MAX_PENDING_BYTES) {
      this.#watch?.onFailed(this.#lastCode);
      this.#watch?.onLost(1);
      return;
    }
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    this.#drain();
  }

  /** Writes what is waiting, for a reader that is behind up to half a second. */
  flush(): void {
    let stuck = this.#drain();
    for (let waitedMs = 0; stuck === 'EAGAIN' && waitedMs < FLUSH_MS; waitedMs += FLUSH_STEP_MS) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FLUSH_STEP_MS);
      stuck = this.#drain();
    }
  }

  close(): void {
    this.flush();
    clearTimeout(this.#retry);
    if (this.#pending.length > 0) this.#watch?.onLost(this.#pending.length);
    this.#pending = [];
    // Standard output and standard error stay open.
    if (this.#isFile) closeSync(this.#fd);
  }

  /** Writes as much as possible. @returns the code of the error that stopped it; undefined: all is written. */
  #drain(): string | undefined {
    if (this.#pending.length === 0) return undefined;
    try {
      for (let next = this.#pending[0]; next !== undefined; next = this.#pending[0]) {
        const written = this.#writeBytes(this.#fd, next);
        this.#pendingBytes -= written;
        if (written < next.length) this.#pending[0] = next.subarray(written);
        else this.#pending.shift();
      }
    } catch (error) {
      const code = codeOf(error) ?? 'unknown';
      this.#lastCode = code;
      // A reader that is behind loses nothing yet.
      if (code !== 'EAGAIN') this.#watch?.onFailed(code);
      this.#retry ??= setTimeout(() => {
        this.#retry = undefined;
        this.#drain();
      }, RETRY_MS).unref();
      return code;
    }
    this.#watch?.onWritten();
    return undefined;
  }
}

/** Why a file cannot be opened: a code, and what it means where people would not know. */
function reasonOf(error: unknown, file: string, { fd }: SinkKind): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  if (code !== 'ENXIO') return code;
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats?.isFIFO() === true) return `${code}, nobody reads from this pipe`;
  if (stats?.isSocket() !== true) return code;
  // What `/dev/stdout` leads to under a service manager that keeps a journal.
  const instead = fd === STDOUT ? '- is standard output' : 'without the flag, lines go to standard error';
  return `${code}, it is a socket, which no path opens; ${instead}`;
}
