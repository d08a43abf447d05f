/**
 * A stream as the body of a request to a backend.
 */
import type { Readable } from 'node:stream';
import type { UpstreamBody, UpstreamBodySink } from '../../lib/proxy/upstream/upstream.js';

export function bodyOf(stream: Readable, trailers: readonly string[] = []): UpstreamBody {
  let sink: UpstreamBodySink | undefined;
  stream.on('error', (error) => sink?.onBodyFailure(error.message));
  stream.on('end', () => sink?.onBodyEnd(trailers));
  return {
    start(next) {
      sink = next;
      if (stream.listenerCount('data') === 0) stream.on('data', (piece: Buffer) => sink?.onBodyPiece(piece));
      stream.resume();
    },
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    stop() {
      sink = undefined;
      stream.pause();
    },
    release: () => undefined,
  };
}
