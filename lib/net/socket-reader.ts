/**
 * Who reads from a connection into memory of its own.
 */
export interface SocketReader {
  /** Where the next piece goes. Asked before each of them. */
  buffer(): Buffer;
  /** A piece has come, mostly in what `buffer` has returned. */
  onRead(bytes: Buffer): void;
}
