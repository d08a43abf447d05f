/**
 * What is wrong with a block of header fields.
 */

/**
 * A block that cannot be decoded (RFC 7541). The tables of the two sides differ from here on, so it ends its connection with
 * COMPRESSION_ERROR (RFC 9113 §4.3).
 */
export class CompressionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CompressionError';
  }
}
