/**
 * Debian's nginx as a backend: not of our making, and what most people have behind a proxy.
 *
 *     await using nginx = await startNginx();
 *     await using program = await startProgram(['--backend', nginx.url]);
 *
 * It serves the files of a temporary directory, as whoever runs the tests, on a unix socket and on a free port.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { accepts } from './accepts.js';
import { makeTempDir } from './certificates.js';
import { eventually } from './eventually.js';
import { unusedPort } from './unused-port.js';

export interface Nginx extends AsyncDisposable {
  /** What `--backend` takes. */
  readonly url: string;
  /** The same server. */
  readonly unixUrl: string;
  /** Writes a file that it serves. */
  write(name: string, content: string | Buffer): Promise<void>;
  /**
   * One line for each request so far: `METHOD URI PROTOCOL STATUS host=… for=… proto=… connection=N requests=N`, the last two
   * being which connection it came on and how many came on that.
   */
  log(): Promise<string[]>;
}

const configOf = (dir: string, port: number): string => `
daemon off;
master_process off;
pid ${dir}/pid;
error_log ${dir}/error.log;
events { worker_connections 1024; }
http {
  log_format told '$request_method $request_uri $server_protocol $status host=$http_host '
    'for=$http_x_forwarded_for proto=$http_x_forwarded_proto connection=$connection requests=$connection_requests';
  access_log ${dir}/access.log told;
  client_body_temp_path ${dir}/body;
  proxy_temp_path ${dir}/proxy;
  fastcgi_temp_path ${dir}/fastcgi;
  uwsgi_temp_path ${dir}/uwsgi;
  scgi_temp_path ${dir}/scgi;
  types { text/html html; text/plain txt; }
  default_type application/octet-stream;
  client_max_body_size 1m;
  server {
    listen 127.0.0.1:${port};
    listen unix:${dir}/nginx.sock;
    root ${dir}/files;
    # What it compresses as it goes has no length: chunked.
    location /chunked/ { alias ${dir}/files/; gzip on; gzip_min_length 1; gzip_types text/plain; }
    # WebDAV: methods that are seldom seen, and uploads.
    location /dav/ { alias ${dir}/files/; dav_methods PUT DELETE MKCOL COPY MOVE; create_full_put_path on; }
    location /empty { return 204; }
    # Else it would name itself.
    absolute_redirect off;
    location /moved { return 302 /file.txt; }
  }
}
`;

/** @throws Error when nginx is not installed (test/setup.sh does that) or does not start */
export async function startNginx(): Promise<Nginx> {
  const { dir, remove } = await makeTempDir();
  const port = await unusedPort();
  await mkdir(join(dir, 'files'));
  await writeFile(join(dir, 'nginx.conf'), configOf(dir, port));
  const child = spawn('nginx', ['-p', dir, '-c', join(dir, 'nginx.conf'), '-e', join(dir, 'error.log')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` },
  });
  let trouble = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (trouble += text));
  const exited = once(child, 'close').catch((error: unknown) => (trouble += String(error)));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
    await remove();
  };
  try {
    await eventually('nginx accepts connections', () => accepts(port));
  } catch (error) {
    await stop();
    throw new Error(`nginx has not started: ${trouble}`, { cause: error });
  }
  return {
    url: `http://127.0.0.1:${port}`,
    unixUrl: `unix:${dir}/nginx.sock`,
    write: (name, content) => writeFile(join(dir, 'files', name), content),
    log: async () => (await readFile(join(dir, 'access.log'), 'utf8')).split('\n').filter(Boolean),
    [Symbol.asyncDispose]: stop,
  };
}
