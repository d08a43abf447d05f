/**
 * Streams whose client was told to send no more of its request, since it is answered (RFC 9113 §8.1).
 *
 * Node says of them, as of those that the client has ended by itself, that their reading has ended.
 */
import { constants, type ServerHttp2Stream } from 'node:http2';

const stopped = new WeakSet<object>();

export function stopUpload(stream: Pick<ServerHttp2Stream, 'close'>): void {
  stopped.add(stream);
  stream.close(constants.NGHTTP2_NO_ERROR);
}

export function isUploadStopped(stream: object): boolean {
  return stopped.has(stream);
}
