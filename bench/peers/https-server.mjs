/**
 * What one would write with Node's own `https` instead of this program, for how long it takes to listen. One certificate, known from
 * the start, and an empty answer.
 *
 *     node https-server.mjs '{"cert": FILE, "key": FILE}'
 *
 * It prints its port, and ends with SIGTERM.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

const { cert, key } = JSON.parse(process.argv[2]);
// By process.exit, so that a profile is written.
process.once('SIGTERM', () => process.exit(0));

const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (_request, response) =>
  response.end(),
);
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
