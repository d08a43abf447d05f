/**
 * The files that flags name. That they can be read, and hold what they should, is found by loading the settings; here is whom else
 * they can be read by, and whether what the program writes can be written.
 */
import { access, constants, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { GivenFlags } from '../config/precedence.js';
import { hasCredentials } from '../config/redact.js';
import type { Settings } from '../config/settings.js';
import { finding, type Finding } from './finding.js';
import { isReadByAll, obstacleToWriting } from './permissions.js';

const AREA = 'files';

export async function checkFiles(given: GivenFlags, settings: Settings): Promise<Finding[]> {
  const found = await Promise.all([
    ...secretFiles(given, settings).map(([label, path, holds]) => checkSecret(label, path, holds)),
    ...writtenFiles(settings).map(([label, path]) => checkWritten(label, path)),
  ]);
  return found.flat();
}

type Secret = readonly [label: string, path: string, holds: string];

function secretFiles(given: GivenFlags, { internalCa }: Settings): Secret[] {
  const key = 'a private key';
  const config = given.path('config');
  // Only then there is something in it to hide.
  const hasSecrets = (['redis-url', 'fallback-server'] as const).some(
    (name) => given.origin(name) === 'file' && given.texts(name).some(hasCredentials),
  );
  return [
    ...given.paths('default-key').map((path): Secret => ['--default-key', path, key]),
    ...given
      .listenerPairs()
      .flatMap((files) => files?.keys ?? [])
      .map((path): Secret => ['default-key of a listener', path, key]),
    ...given
      .paths('fallback-credentials')
      .map((path): Secret => ['--fallback-credentials', path, 'a password']),
    ...given.paths('admin-user-file').map((path): Secret => ['--admin-user-file', path, 'password hashes']),
    ...(config !== undefined && hasSecrets ? [['--config', config, 'a password'] as const] : []),
    ...(internalCa === undefined
      ? []
      : [['--internal-ca', join(internalCa.dir, 'root-key.pem'), key] as const]),
  ];
}

async function checkSecret(label: string, path: string, holds: string): Promise<Finding[]> {
  if (await isReadByAll(path)) {
    return [
      finding(
        'warning',
        AREA,
        path,
        `${label} holds ${holds}, and everybody on this machine may read it`,
        `chmod o-rwx ${path}`,
      ),
    ];
  }
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  return isThere ? [finding('ok', AREA, path, `${label} is readable, and not by everybody`)] : [];
}

function writtenFiles({ log, accessLog, pidFile }: Settings): [label: string, path: string][] {
  const files: [string, string | undefined][] = [
    ['--log-file', log.file],
    ['--access-log', accessLog?.file],
    ['--pid-file', pidFile],
  ];
  return files.flatMap(([label, path]) => (path === undefined ? [] : [[label, path]]));
}

/** A file that is there must let itself be written, be it a device; else one must be possible. Folders are not made for these. */
async function checkWritten(label: string, path: string): Promise<Finding[]> {
  const remedy = 'let the user that the program runs as write it, or name another file';
  try {
    if ((await stat(path)).isDirectory()) {
      return [finding('error', AREA, path, `${label} is a directory`, 'name a file')];
    }
    await access(path, constants.W_OK);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') {
      return [finding('error', AREA, path, `${label} cannot be written`, remedy)];
    }
    const folder = dirname(path);
    const isMissing = await stat(folder).then(
      () => false,
      () => true,
    );
    if (isMissing) {
      return [
        finding('error', AREA, path, `${label} is in a directory that there is not`, `mkdir ${folder}`),
      ];
    }
    const obstacle = await obstacleToWriting(folder);
    if (obstacle !== undefined) return [finding('error', AREA, path, `${label}: ${obstacle}`, remedy)];
  }
  return [finding('ok', AREA, path, `${label} can be written`)];
}
