/**
 * What the program keeps between runs, and the socket that commands reach it by.
 */
import { X509Certificate } from 'node:crypto';
import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Settings } from '../config/settings.js';
import { MAX_SOCKET_PATH_BYTES } from '../config/listen-address.js';
import { codeOf } from '../domain/errors.js';
import { finding, type Finding } from './finding.js';
import { obstacleToWriting } from './permissions.js';
import { isSocketInUse, type RunningProgram } from './ports.js';

const WRITABLE = 'let the user that the program runs as write it, or name another one';

export async function checkState({ stateDir }: Settings): Promise<Finding> {
  const obstacle = await obstacleToWriting(stateDir);
  return obstacle === undefined
    ? finding('ok', 'state directory', stateDir, 'it can be written')
    : finding('error', 'state directory', stateDir, obstacle, `${WRITABLE}: --state-dir`);
}

/** The authority of our own, where it is in use. The program makes it when it starts. */
export async function checkInternalCa({ internalCa }: Settings, nowMs: number): Promise<Finding[]> {
  if (internalCa === undefined) return [];
  const area = 'internal CA';
  const { dir } = internalCa;
  const path = join(dir, 'root.pem');
  try {
    await readFile(join(dir, 'root-key.pem'));
    const root = new X509Certificate(await readFile(path));
    if (Date.parse(root.validTo) > nowMs) return [finding('ok', area, dir, 'its root is valid')];
    const what = `its root expired on ${new Date(root.validTo).toISOString()}`;
    return [
      finding(
        'error',
        area,
        path,
        what,
        `remove ${dir}: a new one is made at the start, which clients have to trust`,
      ),
    ];
  } catch (thrown) {
    if (codeOf(thrown) !== 'ENOENT') {
      return [
        finding('error', area, dir, `its root cannot be read (${codeOf(thrown) ?? 'damaged'})`, WRITABLE),
      ];
    }
  }
  const obstacle = await obstacleToWriting(dir);
  return [
    obstacle === undefined
      ? finding('ok', area, dir, 'its root is made at the start')
      : finding('error', area, dir, obstacle, `${WRITABLE}: --internal-ca`),
  ];
}

/** @param isNamed by `--control-socket`: then the program does not start without it. @param trouble of a program that does not answer. */
export async function checkControlSocket(
  path: string,
  isNamed: boolean,
  running: RunningProgram | undefined,
  trouble: string | undefined,
): Promise<Finding> {
  const area = 'control socket';
  const level = isNamed ? 'error' : 'warning';
  if (running !== undefined) return finding('ok', area, path, `process ${running.pid} answers`);
  const length = Buffer.byteLength(path);
  if (length > MAX_SOCKET_PATH_BYTES) {
    const what = `its path has ${length} bytes, and no socket may have more than ${MAX_SOCKET_PATH_BYTES}`;
    return finding(level, area, path, what, 'name a shorter one with --control-socket');
  }
  const status = await lstat(path).catch(() => undefined);
  if (status?.isSocket() === false) {
    return finding(
      level,
      area,
      path,
      'something that is no socket is in its place',
      `see what it is, and remove it`,
    );
  }
  if (status !== undefined && (await isSocketInUse(path))) {
    const what = trouble ?? 'a program listens on it that does not answer';
    return finding('warning', area, path, what, 'see whether the program still runs, and as which user');
  }
  return finding('ok', area, path, 'no program runs with it now');
}
