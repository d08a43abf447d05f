/**
 * Programs of others: where they are, which versions they are, and what to do where one is missing.
 */
import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** nginx and HAProxy may not be in the path of who is not root. */
export const ENVIRONMENT = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` };

/** Its message is all there is to say. */
export class NotInstalledError extends Error {
  constructor(what: string, debianPackage: string) {
    super(`The benchmark needs ${what}, which is not installed: apt-get install ${debianPackage}`);
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
  const file = `${modulesDir(built)}/ngx_stream_module.so`;
  await demand(file, "nginx's stream module", 'libnginx-mod-stream');
  return file;
}

/** Where nginx has its Lua module, and Lua the libraries that OpenResty has by itself. */
export interface NginxLuaModules {
  /** For `load_module`, in this order. */
  readonly modules: readonly string[];
  readonly libraryDir: string;
}

/** @throws NotInstalledError */
export async function nginxLuaModules(): Promise<NginxLuaModules> {
  const dir = modulesDir(await outputOf('nginx', '-V', 'nginx'));
  const modules = ['ndk_http_module', 'ngx_http_lua_module'].map((name) => `${dir}/${name}.so`);
  const libraryDir = '/usr/share/lua/5.1';
  for (const file of modules) await demand(file, "nginx's Lua module", 'libnginx-mod-http-lua');
  await demand(`${libraryDir}/ngx/ssl.lua`, "Lua's ngx.ssl", 'lua-resty-core');
  await demand(`${libraryDir}/resty/lrucache.lua`, "Lua's resty.lrucache", 'lua-resty-lrucache');
  return { modules, libraryDir };
}

/** @param built what `nginx -V` says */
function modulesDir(built: string): string {
  return /--modules-path=(\S+)/.exec(built)?.[1] ?? '/usr/lib/nginx/modules';
}

async function demand(file: string, what: string, debianPackage: string): Promise<void> {
  await access(file).catch(() => {
    throw new NotInstalledError(what, debianPackage);
  });
}

/**
 * The peers by name and version, for the report.
 *
 * @throws NotInstalledError for the first thing that is missing.
 */
export async function peerVersions(): Promise<string> {
  await nginxStreamModule();
  await nginxLuaModules();
  const version = async (...asked: Parameters<typeof outputOf>): Promise<string> =>
    /\d+\.\d+(?:\.\d+)?/.exec(await outputOf(...asked))?.[0] ?? 'of unknown version';
  const nginx = await version('nginx', '-v', 'nginx');
  const haproxy = await version('haproxy', '-v', 'haproxy');
  const caddy = await version('caddy', 'version', 'caddy');
  const h2load = await version('h2load', '--version', 'nghttp2-client');
  return `nginx ${nginx}, HAProxy ${haproxy}, Caddy ${caddy}; h2load ${h2load}`;
}
