/**
 * The real program as a child process, as a user starts it.
 *
 *     await using program = await startProgram(['--redis-strategy', '2', '--redis-url', redis.url]);
 *     const { certificate } = await handshake({ port: program.port, servername: 'a.test' });
 *
 * It listens on a port of the system's choice, runs in a temporary directory of its own, logs everything as JSON, and is
 * gone with all of its workers when the scope ends.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { assertFreshDist } from './fresh-dist.js';

const BIN = fileURLToPath(new URL('../../bin/peter-sslers-proxy', import.meta.url));
/** Far above what it takes on a loaded machine: only a hang comes to it. */
const READY_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 10_000;
/** Whether this is `npm run coverage`, and how long what a test has left open may hold up an end then. */
const IS_COVERED = process.env['NODE_V8_COVERAGE'] !== undefined;
const DRAIN_TIMEOUT_MS = 3_000;

/** A line of the JSON log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly level: string; readonly msg: string };

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Absent: a temporary directory that is removed with the program. */
  readonly cwd?: string;
  /** Flags for Node itself. */
  readonly nodeFlags?: readonly string[];
  /** The command of an installation. @default the one here */
  readonly bin?: string;
  /** A command that runs the one that follows it. */
  readonly starter?: readonly string[];
  /** A file that the program has in the place of /etc/resolv.conf. Only where `canReplaceFiles`. */
  readonly resolvConf?: string;
  /** Replaces the flags that the tests set by themselves (listen, workers, log). */
  readonly bare?: boolean;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class Program implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly cwd: string;
  readonly exited: Promise<Exit>;
  readonly #ownsCwd: boolean;
  #stdout = '';
  #stderr = '';
  readonly #watchers = new Set<() => void>();

  constructor(child: ChildProcess, cwd: string, ownsCwd: boolean) {
    this.child = child;
    this.cwd = cwd;
    this.#ownsCwd = ownsCwd;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      this.#notify();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      this.#notify();
    });
    this.exited = once(child, 'close').then(([code, signal]) => {
      this.#notify();
      return { code: code as number | null, signal: signal as NodeJS.Signals | null };
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** The port of the first address of the ready line. */
  get port(): number {
    return Number(/https:\/\/[^/"\s]*?:(\d+)/.exec(this.#stdout)?.[1] ?? 0);
  }

  /** The JSON log so far. Lines that are not JSON are left out. */
  get log(): LogLine[] {
    return this.#stderr
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** Waits until something is true of the output. */
  async until(what: string, isTrue: (program: this) => boolean, timeoutMs = READY_TIMEOUT_MS): Promise<void> {
    if (isTrue(this)) return;
    await new Promise<void>((resolve, reject) => {
      const finish = (error?: Error): void => {
        clearTimeout(timer);
        this.#watchers.delete(check);
        if (error === undefined) resolve();
        else reject(error);
      };
      const fail = (why: string): void =>
        finish(
          new Error(`${why} while waiting until ${what}\nstdout: ${this.#stdout}\nstderr: ${this.#stderr}`),
        );
      const check = (): void => {
        if (isTrue(this)) finish();
        else if (this.child.exitCode !== null || this.child.signalCode !== null) fail('the program ended');
      };
      const timer = setTimeout(() => fail('time is up'), timeoutMs);
      this.#watchers.add(check);
    });
  }

  /** Waits for a log line and returns it. `count`: for the n-th of its kind. */
  async logged(message: string | RegExp, fields: Record<string, unknown> = {}, count = 1): Promise<LogLine> {
    const matches = (): LogLine[] =>
      this.log.filter(
        (line) =>
          (typeof message === 'string' ? line.msg === message : message.test(line.msg)) &&
          Object.entries(fields).every(([key, value]) => line[key] === value),
      );
    await this.until(`it logs ${String(message)} ${JSON.stringify(fields)}`, () => matches().length >= count);
    return matches()[count - 1]!;
  }

  /** The process ids of the workers, from the kernel. */
  async workerPids(): Promise<number[]> {
    const children = await readFile(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8');
    return children.trim().split(/\s+/).filter(Boolean).map(Number);
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Sends SIGHUP and waits for its notice line. */
  async reload(): Promise<LogLine> {
    const count = this.log.filter(({ msg }) => msg === 'reloaded').length;
    this.kill('SIGHUP');
    return this.logged('reloaded', {}, count + 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.kill('SIGTERM');
      // A worker that is killed writes no coverage, so it may drain then.
      if (IS_COVERED) await Promise.race([this.exited, delay(DRAIN_TIMEOUT_MS, undefined, { ref: false })]);
      // Not the same signal twice: two of a kind that come together count as one, and it would drain.
      this.kill('SIGINT');
      const timer = setTimeout(() => this.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await this.exited;
      clearTimeout(timer);
    }
    if (this.#ownsCwd) await rm(this.cwd, { recursive: true, force: true });
  }

  #notify(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}

/** The program is what the shell becomes, so that signals reach it. */
const MOUNT_RESOLV_CONF = 'mount --bind "$0" /etc/resolv.conf && exec "$@"';

/** Runs a shell in a mount namespace of its own: what it mounts, nobody else sees. */
function inNamespace(): string[] {
  return ['unshare', '--map-root-user', '--mount', 'sh', '-c'];
}

/** Whether this machine lets tests replace files for a program (it needs unshare and user namespaces, which containers often lack). */
export function canReplaceFiles(): boolean {
  const [command = '', ...flags] = inNamespace();
  return spawnSync(command, [...flags, 'mount --bind /etc/hosts /etc/hosts']).status === 0;
}

/** Starts the program without waiting for anything: for starts that are meant to fail. */
export async function spawnProgram(flags: readonly string[], options: ProgramOptions = {}): Promise<Program> {
  assertFreshDist();
  const cwd = options.cwd ?? (await mkdtemp(join(tmpdir(), 'peter-sslers-proxy-test-')));
  const own = ['--listen', '127.0.0.1:0', '--workers', '1', '--log-level', 'debug', '--log-format', 'json'];
  const given = new Set(flags.map((flag) => flag.replace(/=.*/, '').replaceAll('_', '-')));
  const defaults =
    options.bare === true
      ? []
      : pairs(own)
          .filter(([flag]) => !given.has(flag))
          .flat();
  const program = [
    ...(options.starter ?? []),
    ...[process.execPath, ...(options.nodeFlags ?? []), options.bin ?? BIN, 'start'],
    ...[...defaults, ...flags],
  ];
  const { resolvConf } = options;
  const command =
    resolvConf === undefined ? program : [...inNamespace(), MOUNT_RESOLV_CONF, resolvConf, ...program];
  const child = spawn(command[0] ?? '', command.slice(1), {
    cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new Program(child, cwd, options.cwd === undefined);
}

/** Starts the program and waits for the ready line. */
export async function startProgram(
  flags: readonly string[] = [],
  options: ProgramOptions = {},
): Promise<Program> {
  const program = await spawnProgram(flags, options);
  try {
    await program.until('it is ready', ({ stdout }) => stdout.includes('\n') && stdout.includes('ready'));
  } catch (error) {
    await program[Symbol.asyncDispose]();
    throw error;
  }
  return program;
}

function pairs(list: readonly string[]): [string, string][] {
  return list.flatMap((item, index) => (index % 2 === 0 ? [[item, list[index + 1] ?? '']] : []));
}
