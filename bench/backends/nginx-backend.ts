/**
 * A backend that is faster than whatever is before it: nginx, returning 1 KB to every request. One process, in no figure.
 */
import type { Server } from '../servers.js';
import { startServer } from '../peers/peer.js';
import { nginxDirectories } from '../peers/nginx.js';

export const SMALL_ANSWER_BYTES = 1024;
/** Requests of one connection; the default is 1000. */
const NO_LIMIT = 1_000_000_000;

/** `dir`: not there yet. */
export function startNginxBackend(dir: string): Promise<Server> {
  return startServer({
    command: 'nginx',
    dir,
    processes: 1,
    configFor: (port) => `
daemon off;
master_process off;
pid ${dir}/pid;
error_log stderr error;
events { worker_connections 4096; }
http {
  access_log off;
  ${nginxDirectories(dir)}
  keepalive_requests ${NO_LIMIT};
  default_type text/plain;
  server {
    listen 127.0.0.1:${port};
    location / { return 200 "${'x'.repeat(SMALL_ANSWER_BYTES)}"; }
  }
}`,
    flagsFor: (configPath) => ['-p', dir, '-c', configPath, '-e', 'stderr'],
  });
}
