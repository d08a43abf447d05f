/**
 * Debian's nginx with its Lua module: chooses the certificate in each handshake from an LRU of the worker, which is what the
 * OpenResty plugin that this program stands in for does on a hit. What nginx shows by itself is another certificate: a miss would be
 * a wrong one. In all else it is `nginx.ts`.
 */
import { fileURLToPath } from 'node:url';
import type { Server } from '../servers.js';
import { nginxLuaModules } from './installed.js';
import { certificate, startNginxVariant } from './nginx.js';
import type { ProxyTask } from './peer.js';

const LUA_DIR = fileURLToPath(new URL('.', import.meta.url));

export async function startNginxLua(task: ProxyTask): Promise<Server> {
  const { name, chainPath, keyPath } = task.pair;
  const { modules, libraryDir } = await nginxLuaModules();
  return startNginxVariant(task, {
    modules,
    // Before the fork: only root may read the key, and each worker gets a copy of the cache.
    http: `lua_package_path "${LUA_DIR}?.lua;${libraryDir}/?.lua;;";
  init_by_lua_block { require("certificate").keep("${name}", "${chainPath}", "${keyPath}") }`,
    server: `${certificate(task.otherPair)}
    ssl_certificate_by_lua_block { require("certificate").choose() }`,
  });
}
