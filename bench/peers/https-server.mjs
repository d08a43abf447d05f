/**
 * The peer: what one would write with Node's own `https` instead of this program. One certificate, known from the start.
 *
 *     node https-server.mjs '{"cert": FILE, "key": FILE, "workers": 1, "backend": URL}'
 *     node https-server.mjs '{"cert": FILE, "key": FILE, "workers": 1, "answer": {"status": 200, "headers": {}, "body": "…"}}'
 *
 * With `backend` it forwards every request through undici's `dispatch`, else it answers what it is told. One worker is the process
 * itself, several are a cluster in which the workers accept. It prints its port, and ends with SIGTERM.
 */
import cluster from 'node:cluster';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { Pool } from 'undici';

const { cert, key, workers, backend, answer } = JSON.parse(process.argv[2]);
// By process.exit, so that a profile is written.
process.once('SIGTERM', () => {
  for (const worker of Object.values(cluster.workers ?? {})) worker.kill('SIGTERM');
  process.exit(0);
});

const pool = backend === undefined ? undefined : new Pool(backend, { keepAliveTimeout: 4_000 });

function forward(request, response) {
  pool.dispatch(
    {
      path: request.url,
      method: request.method,
      headers: [
        ...request.rawHeaders.filter(
          (_, index, all) => all[index - (index % 2)].toLowerCase() !== 'connection',
        ),
        ...['X-Forwarded-For', request.socket.remoteAddress],
        ...['X-Forwarded-Proto', 'https', 'X-Forwarded-Host', request.headers.host],
      ],
      body: request.method === 'GET' ? null : request,
    },
    {
      onRequestStart() {},
      onResponseStart(_controller, status, headers) {
        const { connection, 'keep-alive': keepAlive, ...others } = headers;
        response.writeHead(status, others);
      },
      onResponseData(_controller, chunk) {
        response.write(chunk);
      },
      onResponseEnd() {
        response.end();
      },
      onResponseError(_controller, error) {
        response.destroy(error);
      },
    },
  );
}

function reply(_request, response) {
  response.writeHead(answer.status, answer.headers);
  response.end(answer.body);
}

if (workers > 1 && cluster.isPrimary) {
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  let listening = 0;
  cluster.on('listening', (_worker, { port }) => {
    if (++listening === workers) process.stdout.write(`${port}\n`);
  });
  for (let i = 0; i < workers; i++) cluster.fork();
} else {
  const server = createServer(
    { cert: readFileSync(cert), key: readFileSync(key) },
    pool === undefined ? reply : forward,
  );
  server.listen(0, '127.0.0.1', () => {
    if (cluster.isPrimary) process.stdout.write(`${server.address().port}\n`);
  });
}
