/**
 * What the kernel knows of the processes of this machine: Linux' `/proc` (proc_pid_stat(5)). Elsewhere nothing is known.
 */
import { readFileSync, readlinkSync } from 'node:fs';

/** A process that has not ended, with all of its threads: until then it holds its sockets. */
export interface ProcessFacts {
  /** When it was started, in ticks since the machine's: together with the process id it is never there twice. */
  readonly startTime: string;
  /** Its command line, or the title that it has given itself; empty when it is about to end. */
  readonly command: string;
}

/** What is asked of the kernel, as a parameter, so that tests need no processes. */
export interface Processes {
  /** Which run of which machine this is, and which process ids are meant; undefined where there is no telling. */
  readonly machine: string | undefined;
  /** Undefined: there is none, or it has ended and nobody has waited for it yet. */
  read(pid: number): ProcessFacts | undefined;
  /** Sends SIGKILL, which ends a stopped process too. Throws the system's error. */
  kill(pid: number): void;
}

export const systemProcesses: Processes = {
  get machine() {
    if (process.platform !== 'linux') return undefined;
    try {
      // A container has process ids of its own.
      return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
    } catch {
      return undefined;
    }
  },
  read(pid) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The second field is the name, in brackets, and may hold blanks and brackets itself. The third is the state, the 20th
      // how many threads there are (the first may have ended before others), the 22nd the start time.
      const fields = stat
        .slice(stat.lastIndexOf(')') + 1)
        .trim()
        .split(' ');
      const [state = '', threads, startTime] = [fields[0], fields[17], fields[19]];
      if (startTime === undefined || ('ZX'.includes(state) && Number(threads) <= 1)) return undefined;
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      return { startTime, command };
    } catch {
      return undefined;
    }
  },
  kill: (pid) => void process.kill(pid, 'SIGKILL'),
};
