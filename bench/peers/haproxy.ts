/**
 * Debian's HAProxy as a proxy: one thread of one process.
 *
 * As it comes, with no log, and with connections to the backend shared by all clients. `X-Forwarded-…` as this program sets it.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Server } from '../servers.js';
import { startServer, type ProxyTask } from './peer.js';

export async function startHaproxy(task: ProxyTask): Promise<Server> {
  const { mode, pair, dir, backendPort } = task;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  // It wants both in one file.
  const pemPath = join(dir, 'pair.pem');
  const parts = await Promise.all([pair.chainPath, pair.keyPath].map((path) => readFile(path, 'utf8')));
  await writeFile(pemPath, parts.join('\n'), { mode: 0o600 });
  return startServer({
    command: 'haproxy',
    dir,
    processes: 1,
    configFor: (port) => `
global
  nbthread 1
  maxconn 4096
defaults
  mode ${mode}
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend front
  bind 127.0.0.1:${port} ssl crt ${pemPath}${mode === 'http' ? ' alpn h2,http/1.1' : ''} ssl-min-ver TLSv1.2
  default_backend back
backend back
${mode === 'http' ? HTTP_RULES : ''}
  server one 127.0.0.1:${backendPort}
`,
    // In the foreground, without a word.
    flagsFor: (configPath) => ['-db', '-q', '-f', configPath],
  });
}

const HTTP_RULES = `
  http-reuse always
  option forwardfor
  http-request set-header X-Forwarded-Proto https
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
`;
