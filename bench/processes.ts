/**
 * What the kernel knows of processes: their CPU time, their memory, their children.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';

/**
 * CPU time of all threads of some processes, user and system together, microseconds. From `schedstat`, which counts
 * nanoseconds; `stat` counts hundredths of a second.
 */
export async function cpuMicroseconds(pids: readonly number[]): Promise<number> {
  const times = await Promise.all(pids.map(cpuOf));
  return times.reduce((sum, nanoseconds) => sum + nanoseconds, 0) / 1000;
}

async function cpuOf(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`);
  const lines = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')),
  );
  return lines.reduce((sum, line) => sum + Number(line.split(' ')[0]), 0);
}

/** Resident memory, bytes. */
export function residentBytes(pid: number): Promise<number> {
  return statusBytes(pid, 'VmRSS');
}

/** The most that was resident at once since `forgetPeak`, bytes: the kernel keeps count, so nothing is missed between two looks. */
export function peakResidentBytes(pid: number): Promise<number> {
  return statusBytes(pid, 'VmHWM');
}

export async function forgetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5');
}

async function statusBytes(pid: number, field: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
}

export async function childrenOf(pid: number): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.trim().split(/\s+/).filter(Boolean).map(Number);
}
