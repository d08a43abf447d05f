/**
 * Debian's nginx as a proxy: one worker process.
 *
 * As it comes, but for what would measure something else: no access log, no files on disk (bodies are passed on as they come, both
 * ways, through the default buffers), no limit to the requests of a connection, and a pool that has room for every connection
 * there is (100 streams are 100 connections to the backend). `X-Forwarded-…` as this program sets it, WebSockets as nginx's manual
 * says.
 */
import type { Server } from '../servers.js';
import { nginxStreamModule } from './installed.js';
import { startServer, type ProxyTask } from './peer.js';

/** Requests of one connection; the default is 1000, after which it would be a new handshake. */
const NO_LIMIT = 1_000_000_000;

/** What differs between nginx alone and nginx with Lua. */
export interface NginxVariant {
  /** Files for `load_module`. */
  readonly modules: readonly string[];
  /** What its `http` and `server` blocks have besides. */
  readonly http?: string;
  readonly server?: string;
}

export async function startNginx(task: ProxyTask): Promise<Server> {
  const streamModule = task.mode === 'tcp' ? await nginxStreamModule() : undefined;
  return startNginxVariant(task, { modules: streamModule === undefined ? [] : [streamModule] });
}

export function startNginxVariant(task: ProxyTask, variant: NginxVariant): Promise<Server> {
  const { mode, dir } = task;
  return startServer({
    command: 'nginx',
    dir,
    // The master is one.
    processes: 2,
    configFor: (port) => `
${variant.modules.map((file) => `load_module ${file};`).join('\n')}
daemon off;
worker_processes 1;
pid ${dir}/pid;
error_log stderr error;
events { worker_connections 4096; }
${mode === 'tcp' ? streamConfig(task, port) : httpConfig(task, port, variant)}
`,
    flagsFor: (configPath) => ['-p', dir, '-c', configPath, '-e', 'stderr'],
  });
}

/** Where it keeps files, if it must: the default directories are root's. */
export const nginxDirectories = (dir: string): string =>
  `client_body_temp_path ${dir}/body;
  proxy_temp_path ${dir}/proxy;
  fastcgi_temp_path ${dir}/fastcgi;
  uwsgi_temp_path ${dir}/uwsgi;
  scgi_temp_path ${dir}/scgi;`;

const httpConfig = (
  { pair, backendPort, dir }: ProxyTask,
  port: number,
  { http = '', server = certificate(pair) }: NginxVariant,
): string => `
http {
  access_log off;
  ${nginxDirectories(dir)}
  client_max_body_size 0;
  keepalive_requests ${NO_LIMIT};
  ${http}
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  upstream backend {
    server 127.0.0.1:${backendPort};
    keepalive 128;
    keepalive_requests ${NO_LIMIT};
  }
  server {
    listen 127.0.0.1:${port} ssl http2;
    ssl_protocols TLSv1.2 TLSv1.3;
    ${server}
    location / {
      proxy_pass http://backend;
      proxy_http_version 1.1;
      proxy_request_buffering off;
      proxy_max_temp_file_size 0;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $host;
    }
  }
}`;

export const certificate = ({ chainPath, keyPath }: ProxyTask['pair']): string =>
  `ssl_certificate ${chainPath};
    ssl_certificate_key ${keyPath};`;

const streamConfig = ({ pair, backendPort }: ProxyTask, port: number): string => `
stream {
  server {
    listen 127.0.0.1:${port} ssl;
    ${certificate(pair)}
    ssl_protocols TLSv1.2 TLSv1.3;
    proxy_pass 127.0.0.1:${backendPort};
  }
}`;
