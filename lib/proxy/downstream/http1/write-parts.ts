/**
 * Writes the parts of a message to a connection, in as few writes as it is worth.
 */
import type { ClientSocket } from '../../../net/client-socket.js';

/** So much goes out in one write, whatever it is made of. Beyond, joining costs more than another record. */
const MAX_COPIED_BYTES = 32_768;

/**
 * @param text before the pieces; one character for each octet (latin1), like `tail` behind them.
 * @param onWritten called once, when all is out, or with the reason why it never will be.
 * @returns false where there is nothing to write: `onWritten` is not called.
 */
export function writeParts(
  socket: ClientSocket,
  text: string,
  pieces: readonly Buffer[],
  tail: string,
  onWritten: (error?: Error | null) => void,
): boolean {
  let bytes = text.length + tail.length;
  for (const piece of pieces) bytes += piece.length;
  if (bytes === 0) return false;
  if (pieces.length === 0) socket.write(text + tail, 'latin1', onWritten);
  else if (bytes <= MAX_COPIED_BYTES) socket.write(joined(text, pieces, tail, bytes), onWritten);
  else {
    socket.cork();
    if (text !== '') socket.write(text, 'latin1');
    const last = pieces.length - 1;
    for (const [i, piece] of pieces.entries()) {
      if (i === last && tail === '') socket.write(piece, onWritten);
      else socket.write(piece);
    }
    if (tail !== '') socket.write(tail, 'latin1', onWritten);
    socket.uncork();
  }
  return true;
}

/** One buffer of all parts. */
function joined(text: string, pieces: readonly Buffer[], tail: string, bytes: number): Buffer {
  const all = Buffer.allocUnsafe(bytes);
  let at = all.write(text, 0, 'latin1');
  for (const piece of pieces) at += piece.copy(all, at);
  if (tail !== '') all.write(tail, at, 'latin1');
  return all;
}
