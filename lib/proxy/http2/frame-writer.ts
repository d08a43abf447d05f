/**
 * Writes frames (RFC 9113 §6). PURE.
 */
import { ErrorCode, Flag, FRAME_HEAD_BYTES, FrameType } from './frames.js';

/** Writes the head of a frame at `at`. @returns where its payload begins. */
export function writeFrameHead(
  into: Buffer,
  at: number,
  payloadBytes: number,
  type: number,
  flags: number,
  streamId: number,
): number {
  into[at] = payloadBytes >>> 16;
  into[at + 1] = (payloadBytes >>> 8) & 0xff;
  into[at + 2] = payloadBytes & 0xff;
  into[at + 3] = type;
  into[at + 4] = flags;
  into.writeUInt32BE(streamId, at + 5);
  return at + FRAME_HEAD_BYTES;
}

/** @param settings ids and values. */
export function settingsFrame(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEAD_BYTES + settings.length * 6);
  let at = writeFrameHead(frame, 0, settings.length * 6, FrameType.settings, 0, 0);
  for (const [id, value] of settings) {
    frame.writeUInt16BE(id, at);
    frame.writeUInt32BE(value, at + 2);
    at += 6;
  }
  return frame;
}

export function settingsAckFrame(): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEAD_BYTES);
  writeFrameHead(frame, 0, 0, FrameType.settings, Flag.ack, 0);
  return frame;
}

/** @param opaque eight octets. */
export function pingFrame(opaque: Buffer, isAck: boolean): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEAD_BYTES + 8);
  opaque.copy(frame, writeFrameHead(frame, 0, 8, FrameType.ping, isAck ? Flag.ack : 0, 0), 0, 8);
  return frame;
}

/** @param code an `ErrorCode`. */
export function resetFrame(streamId: number, code: number): Buffer {
  return numberFrame(FrameType.rstStream, streamId, code);
}

/** @param increment 1 to 2³¹ − 1. */
export function windowUpdateFrame(streamId: number, increment: number): Buffer {
  return numberFrame(FrameType.windowUpdate, streamId, increment);
}

/** @param lastStreamId the last of the client's streams that was, or might be, answered. */
export function goawayFrame(lastStreamId: number, code: number = ErrorCode.noError): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEAD_BYTES + 8);
  const at = writeFrameHead(frame, 0, 8, FrameType.goaway, 0, 0);
  frame.writeUInt32BE(lastStreamId, at);
  frame.writeUInt32BE(code, at + 4);
  return frame;
}

function numberFrame(type: number, streamId: number, value: number): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEAD_BYTES + 4);
  frame.writeUInt32BE(value, writeFrameHead(frame, 0, 4, type, 0, streamId));
  return frame;
}
