/**
 * A process that greets whoever connects by its name (the first argument): on the path that is the second argument, or on a
 * handle that it is sent.
 */
import { createServer } from 'node:net';
import { listenOnHandle } from '../../../lib/net/shared-handle.js';

const [name = '', path] = process.argv.slice(1);
const server = createServer((socket) => socket.on('error', () => undefined).end(name));
server.on('listening', () => process.send?.('listening'));
server.on('error', (error) => process.send?.(error.message));
process.on('disconnect', () => process.exit());
if (path === undefined) {
  process.on('message', (_message, handle: unknown) => listenOnHandle(server, handle));
  process.send?.('started');
} else {
  server.listen(path);
}
