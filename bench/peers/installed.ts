/**
 * Programs of others: where they are, which versions they are, and what to do where one is missing.
 */
import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Where nginx and HAProxy are may not be in the path of who is not root. */
export const ENVIRONMENT = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` };

/** Its message is all there is to say. */
export class NotInstalledError extends Error {
  constructor(what: string, debianPackage: string) {
    super(`The group "proxying" needs ${what}, which is not installed: apt-get install ${debianPackage}`);
    this.name = 'NotInstalledError';
  }
}

/** @throws NotInstalledError */
async function outputOf(command: string, flag: string, debianPackage: string): Promise<string> {
  try {
    const { stdout, stderr } = await run(command, [flag], { env: ENVIRONMENT });
    return stdout + stderr;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new NotInstalledError(command, debianPackage);
  }
}

/**
 * Where nginx has its stream module, for `load_module`; undefined where it is built in.
 *
 * @throws NotInstalledError
 */
export async function nginxStreamModule(): Promise<string | undefined> {
  const built = await outputOf('nginx', '-V', 'nginx');
  if (/--with-stream(\s|$)/.test(built)) return undefined;
  const dir = /--modules-path=(\S+)/.exec(built)?.[1] ?? '/usr/lib/nginx/modules';
  const file = `${dir}/ngx_stream_module.so`;
  await access(file).catch(() => {
    throw new NotInstalledError("nginx's stream module", 'libnginx-mod-stream');
  });
  return file;
}

/**
 * The peers by name and version, for the report.
 *
 * @throws NotInstalledError for the first thing that is missing.
 */
export async function peerVersions(): Promise<string> {
  await nginxStreamModule();
  const version = async (...asked: Parameters<typeof outputOf>): Promise<string> =>
    /\d+\.\d+(?:\.\d+)?/.exec(await outputOf(...asked))?.[0] ?? 'of unknown version';
  const nginx = await version('nginx', '-v', 'nginx');
  const haproxy = await version('haproxy', '-v', 'haproxy');
  const h2load = await version('h2load', '--version', 'nghttp2-client');
  return `nginx ${nginx}, HAProxy ${haproxy}, h2load ${h2load}`;
}
