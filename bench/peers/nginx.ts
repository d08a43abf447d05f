/**
 * Debian's nginx as a proxy: one worker process.
 *
 * As it comes, but for what would measure something else: no access log, no files on disk (bodies are passed on as they come, both
 * ways, through the default buffers), no limit to the requests of a connection, and a pool that has room for every connection
 * there is (100 streams are 100 connections to the backend). `X-Forwarded-…` as this program sets it.
 */
import type { Server } from '../servers.js';
import { nginxStreamModule } from './installed.js';
import { startPeerProxy, type ProxyTask } from './peer.js';

/** Requests of one connection; the default is 1000, after which it would be a new handshake. */
const NO_LIMIT = 1_000_000_000;

export async function startNginx(task: ProxyTask): Promise<Server> {
  const { mode, dir } = task;
  const streamModule = mode === 'tcp' ? await nginxStreamModule() : undefined;
  return startPeerProxy({
    command: 'nginx',
    dir,
    configFor: (port) => `
${streamModule === undefined ? '' : `load_module ${streamModule};`}
daemon off;
worker_processes 1;
pid ${dir}/pid;
error_log stderr error;
events { worker_connections 4096; }
${mode === 'tcp' ? streamConfig(task, port) : httpConfig(task, port)}
`,
    flagsFor: (configPath) => ['-p', dir, '-c', configPath, '-e', 'stderr'],
  });
}

const httpConfig = ({ chainPath, keyPath, backendPort, dir }: ProxyTask, port: number): string => `
http {
  access_log off;
  client_body_temp_path ${dir}/body;
  proxy_temp_path ${dir}/proxy;
  fastcgi_temp_path ${dir}/fastcgi;
  uwsgi_temp_path ${dir}/uwsgi;
  scgi_temp_path ${dir}/scgi;
  client_max_body_size 0;
  keepalive_requests ${NO_LIMIT};
  upstream backend {
    server 127.0.0.1:${backendPort};
    keepalive 128;
    keepalive_requests ${NO_LIMIT};
  }
  server {
    listen 127.0.0.1:${port} ssl http2;
    ssl_certificate ${chainPath};
    ssl_certificate_key ${keyPath};
    ssl_protocols TLSv1.2 TLSv1.3;
    location / {
      proxy_pass http://backend;
      proxy_http_version 1.1;
      proxy_request_buffering off;
      proxy_max_temp_file_size 0;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $host;
    }
  }
}`;

const streamConfig = ({ chainPath, keyPath, backendPort }: ProxyTask, port: number): string => `
stream {
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${chainPath};
    ssl_certificate_key ${keyPath};
    ssl_protocols TLSv1.2 TLSv1.3;
    proxy_pass 127.0.0.1:${backendPort};
  }
}`;
