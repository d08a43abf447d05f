/**
 * Header blocks by the octet.
 */
import { HpackDecoder, type DecodedBlock } from '../../lib/proxy/http2/hpack/decoder.js';

/** The octets of a hexadecimal dump, blanks within it or not. */
export const octets = (hex: string): Buffer => Buffer.from(hex.replace(/\s+/g, ''), 'hex');

/** A decoder that takes lists of any size. */
export const anyDecoder = (maxTableBytes?: number): HpackDecoder =>
  new HpackDecoder({ maxListBytes: Infinity, ...(maxTableBytes === undefined ? {} : { maxTableBytes }) });

/** What a decoder that knows nothing yet makes of a block. */
export const decodedFrom = (hex: string): DecodedBlock => anyDecoder().decode(octets(hex));
