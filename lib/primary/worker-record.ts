/**
 * The processes of this program, on record in the state directory, so that the next start can end those that were left behind.
 *
 * Workers end with their primary. One that stands still (stopped, or blocked) when the primary is killed does not notice; it stays,
 * keeps the port, and its connections hang for ever.
 *
 * Each primary has a file of its own, so that two programs which share a directory do not touch each other: a file whose primary
 * still runs is left alone. A process is ended only if it is the recorded one beyond doubt: the same run of the same machine, the
 * same process id, the same start time, and a worker by its command line.
 */
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from '../base/make-directory.js';
import { WORKER_TITLE } from '../bus/messages.js';
import { describeError } from '../domain/errors.js';
import type { Logger } from '../log/logger.js';
import { systemProcesses, type Processes } from './processes.js';

const FILE_NAME = /^workers-\d+-\d+\.json$/;
/** SIGKILL takes no time, unless the process hangs in the kernel. */
const GONE_WITHIN_MS = 2_000;
const LOOK_EVERY_MS = 10;

interface RecordedProcess {
  readonly pid: number;
  readonly startTime: string;
}

interface RecordFile {
  /** See `Processes`. */
  readonly machine: string;
  readonly primary: RecordedProcess;
  readonly workers: readonly RecordedProcess[];
}

export interface WorkerRecordOptions {
  /** Made where it is missing. */
  readonly stateDir: string;
  readonly log: Logger;
  /** What a worker's command line ends with as long as it has no title. */
  readonly workerProgram: string;
  /** @default the kernel's */
  readonly processes?: Processes;
  /** The primary's. @default this process's */
  readonly pid?: number;
}

/** A library may have several primaries in one process. */
let opened = 0;

export class WorkerRecord {
  readonly #options: WorkerRecordOptions;
  readonly #processes: Processes;
  readonly #path: string;
  /** Where there is no `/proc`, or no directory to write to, nothing is recorded. */
  #head: Pick<RecordFile, 'machine' | 'primary'> | undefined;
  /** The last write has failed, and that was said. */
  #hasFailed = false;

  /** Ends what earlier runs have left behind, and begins a record. Never rejects: the program does without it. */
  static async open(options: WorkerRecordOptions): Promise<WorkerRecord> {
    const record = new WorkerRecord(options);
    if (record.#head === undefined) return record;
    try {
      await makeDirectory(options.stateDir);
      for (const file of readdirSync(options.stateDir)) {
        if (FILE_NAME.test(file)) await record.#endLeftBehind(join(options.stateDir, file));
      }
    } catch (thrown) {
      record.#giveUp(thrown);
    }
    return record;
  }

  private constructor(options: WorkerRecordOptions) {
    const { stateDir, processes = systemProcesses, pid = process.pid } = options;
    this.#options = options;
    this.#processes = processes;
    this.#path = join(stateDir, `workers-${pid}-${++opened}.json`);
    const { machine } = processes;
    const primary = this.#recorded(pid);
    this.#head = machine === undefined || primary === undefined ? undefined : { machine, primary };
  }

  /** Records the workers that there are now. */
  write(pids: readonly number[]): void {
    if (this.#head === undefined) return;
    const file: RecordFile = { ...this.#head, workers: pids.flatMap((pid) => this.#recorded(pid) ?? []) };
    try {
      // Under another name first: whoever reads it finds all of it or none.
      const draft = `${this.#path}.new`;
      rmSync(draft, { force: true });
      writeFileSync(draft, `${JSON.stringify(file)}\n`, { mode: 0o600, flag: 'wx' });
      renameSync(draft, this.#path);
      this.#hasFailed = false;
    } catch (thrown) {
      // The next one is tried all the same: descriptors may be there again.
      if (!this.#hasFailed) this.#sayNot(thrown);
      this.#hasFailed = true;
    }
  }

  /** Nothing is left to be ended. */
  remove(): void {
    if (this.#head !== undefined) removeQuietly(this.#path);
    this.#head = undefined;
  }

  #recorded(pid: number): RecordedProcess | undefined {
    const startTime = this.#processes.read(pid)?.startTime;
    return startTime === undefined ? undefined : { pid, startTime };
  }

  async #endLeftBehind(path: string): Promise<void> {
    const file = readRecord(path);
    if (file === 'not ours') return;
    if (file?.machine === this.#head?.machine && file !== undefined) {
      if (this.#isThere(file.primary)) return;
      const ended = file.workers.filter((worker) => this.#end(worker, file.primary.pid));
      await this.#untilGone(ended);
    }
    removeQuietly(path);
  }

  #isThere({ pid, startTime }: RecordedProcess): boolean {
    return this.#processes.read(pid)?.startTime === startTime;
  }

  /** @returns whether it is there still, and about to be gone. */
  #end(worker: RecordedProcess, primaryPid: number): boolean {
    const { log, workerProgram } = this.#options;
    const facts = this.#processes.read(worker.pid);
    if (facts?.startTime !== worker.startTime) return false;
    if (facts.command === '') return true;
    if (facts.command !== WORKER_TITLE && !facts.command.endsWith(workerProgram)) return false;
    try {
      this.#processes.kill(worker.pid);
    } catch (thrown) {
      log.err('a worker of an earlier run is still there and cannot be ended', {
        workerPid: worker.pid,
        error: describeError(thrown),
      });
      return false;
    }
    log.notice('ended a worker that an earlier run has left behind', { workerPid: worker.pid, primaryPid });
    return true;
  }

  /** The addresses are free when they are gone. */
  async #untilGone(workers: readonly RecordedProcess[]): Promise<void> {
    const endMs = performance.now() + GONE_WITHIN_MS;
    while (workers.some((worker) => this.#isThere(worker)) && performance.now() < endMs) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  #giveUp(thrown: unknown): void {
    this.#head = undefined;
    this.#sayNot(thrown);
  }

  #sayNot(thrown: unknown): void {
    this.#options.log.notice(
      'workers are not recorded in --state-dir: if the primary is killed, one that stands still is left behind',
      { stateDir: this.#options.stateDir, error: describeError(thrown) },
    );
  }
}

/** Undefined: it is gone, or no record. `not ours`: somebody else has written it, who must not choose what we end. */
function readRecord(path: string): RecordFile | 'not ours' | undefined {
  try {
    if (statSync(path).uid !== process.geteuid?.()) return 'not ours';
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is RecordFile {
  if (typeof value !== 'object' || value === null) return false;
  const { machine, primary, workers } = value as Partial<Record<keyof RecordFile, unknown>>;
  return (
    typeof machine === 'string' && isProcess(primary) && Array.isArray(workers) && workers.every(isProcess)
  );
}

function isProcess(value: unknown): value is RecordedProcess {
  return (
    typeof value === 'object' &&
    value !== null &&
    'pid' in value &&
    'startTime' in value &&
    Number.isInteger(value.pid) &&
    Number(value.pid) > 0 &&
    typeof value.startTime === 'string'
  );
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It is looked at again at the next start.
  }
}
