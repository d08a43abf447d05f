/** A process that accepts on the handle that it is sent, greets whoever comes by its own name, and closes. */
import { createServer } from 'node:net';
import { listenOnHandle } from '../../../lib/net/shared-handle.js';

const [, , name = ''] = process.argv;

process.on('message', (_message, handle) => {
  const server = createServer((socket) => socket.on('error', () => undefined).end(name));
  server.on('listening', () => process.send?.('listening'));
  server.on('error', (error) => process.send?.(error.message));
  listenOnHandle(server, handle);
});
process.on('disconnect', () => process.exit());
process.send?.('loaded');
