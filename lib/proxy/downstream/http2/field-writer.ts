/**
 * Writes blocks of fields: HEADERS, and CONTINUATION where one frame does not hold them.
 */
import { Flag, FrameType, MAX_PAYLOAD_BYTES } from '../../http2/frames.js';
import { HpackEncoder } from '../../http2/hpack/encoder.js';
import type { Output } from './output.js';

export class FieldWriter {
  readonly #output: Output;
  readonly #encoder = new HpackEncoder();

  constructor(output: Output) {
    this.#output = output;
  }

  /** The client has sent a SETTINGS_HEADER_TABLE_SIZE. */
  changeTableBytes(bytes: number): void {
    this.#encoder.changePeerMaxTableBytes(bytes);
  }

  /**
   * @param fields flat, pseudo fields first.
   * @param isLast nothing follows on the stream.
   * @param neverIndexedNames in lower case: what came never indexed goes on so.
   */
  write(
    streamId: number,
    fields: readonly string[],
    isLast: boolean,
    neverIndexedNames?: readonly string[],
  ): void {
    const block = this.#encoder.encode(fields, neverIndexedNames);
    let type: number = FrameType.headers;
    let flags = isLast ? Flag.endStream : 0;
    let at = 0;
    do {
      const part = block.subarray(at, at + MAX_PAYLOAD_BYTES);
      at += part.length;
      if (at === block.length) flags |= Flag.endHeaders;
      const frame = this.#output.frame(type, flags, streamId, part.length);
      part.copy(frame.memory, frame.at);
      type = FrameType.continuation;
      flags = 0;
    } while (at < block.length);
  }
}
