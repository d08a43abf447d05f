/**
 * What the command line touches of the process, as one parameter, so that tests need no process.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { text as textOf } from 'node:stream/consumers';
import { hasIpv6Loopback } from '../base/loopback.js';
import { systemProcesses } from '../primary/processes.js';
import { readSecret } from './secret-input.js';

export interface CliIo {
  /** Writes to standard output. */
  readonly stdout: (text: string) => void;
  /** Writes to standard error. */
  readonly stderr: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Reads a file whole, as UTF-8. Throws. */
  readonly readFile: (path: string) => string;
  readonly cpuCount: number;
  /** Whether the machine has the address `::1`. @default false */
  readonly hasIpv6?: boolean;
  /** Standard input, whole. */
  readonly readStdin: () => Promise<string>;
  /** Asks for a password on the terminal; undefined: the person has given up. @default standard input is no terminal */
  readonly readSecret?: ((question: string) => Promise<string | undefined>) | undefined;
  /** Standard error is a terminal: what changes from moment to moment may be shown there. */
  readonly isTerminal: boolean;
  /** Lines of the terminal that standard output is. @default it is none */
  readonly screenLines?: number | undefined;
  /** Aborted when nobody reads standard output any more. @default somebody does */
  readonly closed?: AbortSignal;
  /** Whether there is a process, and it has not ended. */
  readonly isRunning: (pid: number) => boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /**
   * To be called by whoever has installed its own handlers of signals: takes those away that `bin/` has had from its first
   * statement on.
   *
   * @returns which of SIGHUP and SIGUSR1 have come before.
   */
  readonly takeSignals?: TakeSignals;
}

export type TakeSignals = () => ReadonlySet<NodeJS.Signals>;

/** The real one. @param closed see `CliIo`. */
export function processIo(closed: AbortSignal, takeSignals?: TakeSignals): CliIo {
  return {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    env: process.env,
    cwd: process.cwd(),
    readFile: (path) => readFileSync(path, 'utf8'),
    cpuCount: availableParallelism(),
    hasIpv6: hasIpv6Loopback(),
    readStdin: () => textOf(process.stdin),
    readSecret: process.stdin.isTTY
      ? (question) => readSecret(process.stdin, (text) => void process.stderr.write(text), question)
      : undefined,
    isTerminal: process.stderr.isTTY,
    screenLines: process.stdout.isTTY ? process.stdout.rows : undefined,
    closed,
    isRunning,
    now: Date.now,
    ...(takeSignals && { takeSignals }),
  };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isUnwaitedFor(pid);
  } catch (thrown) {
    // Another user's process may not be signalled, but it is there.
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** What has ended is there until its parent has waited for it: the first process of a container may never do. */
function isUnwaitedFor(pid: number): boolean {
  const isKnown = systemProcesses.read(process.pid) !== undefined;
  return isKnown && systemProcesses.read(pid) === undefined;
}
