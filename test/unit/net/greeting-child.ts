/**
 * A process that greets whoever connects by its name (the first argument): on the path that is the second argument, or on a
 * handle that it is sent.
 */
import { createServer } from 'node:net';
import { listenOnHandle } from '../../../lib/net/shared-handle.js';

const [name = '', path] = process.argv.slice(2);
const server = createServer((socket) => socket.end(name));
if (path === undefined) {
  process.on('message', (_message, handle: unknown) => {
    listenOnHandle(server, handle);
    process.send?.('listening');
  });
  process.send?.('started');
} else {
  server.listen(path, () => process.send?.('listening'));
}
