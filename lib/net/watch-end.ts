/**
 * Tells of the end of what a stream of Node's reads at the moment that Node has it: before its `end`, and also where there is none.
 */
import { Duplex } from 'node:stream';

export function watchEnd(stream: Duplex, onEnd: () => void): void {
  stream.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (chunk === null) onEnd();
    return Duplex.prototype.push.call(stream, chunk, encoding);
  };
}
