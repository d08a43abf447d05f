/**
 * A response on a connection that Node's HTTP server no longer serves: it gives up every connection with an `Upgrade` request.
 */
import { ServerResponse, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { lingerOnClose } from './linger.js';

/** Makes a response as the server would; the connection ends with it. Earlier responses must be over. */
export function bareResponse(request: IncomingMessage, socket: Socket): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  const onDrain = (): boolean => response.emit('drain');
  const onGone = (): void => {
    response.destroy();
    response.emit('close');
  };
  socket.on('drain', onDrain);
  socket.once('close', onGone);
  response.once('detach', () => {
    socket.off('drain', onDrain);
    socket.off('close', onGone);
  });
  response.once('finish', () => {
    releaseSocket(response, socket);
    lingerOnClose(socket);
    socket.resume().destroySoon();
    response.emit('close');
  });
  return response;
}

/** Takes the connection away from a bare response that has not begun. */
export function releaseSocket(response: ServerResponse, socket: Socket): void {
  response.emit('detach');
  response.detachSocket(socket);
}
