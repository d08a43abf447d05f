/**
 * What a client's SETTINGS ask of us (RFC 9113 §6.5.2).
 */
import {
  ErrorCode,
  Http2ConnectionError,
  INITIAL_WINDOW_BYTES,
  MAX_PAYLOAD_BYTES,
  MAX_WINDOW_BYTES,
  Setting,
} from '../../http2/frames.js';

const MAX_FRAME_SIZE = 0xff_ffff;

export interface ClientSettingsListener {
  onTableBytes(bytes: number): void;
  /** The windows of all streams that are open change by so much; they may come below 0 (§6.9.2). */
  onWindowChange(bytes: number): void;
}

export class ClientSettings {
  readonly #listener: ClientSettingsListener;
  /** What its windows of streams begin with. */
  windowBytes = INITIAL_WINDOW_BYTES;

  constructor(listener: ClientSettingsListener) {
    this.#listener = listener;
  }

  /** @param payload of a SETTINGS frame. @throws Http2ConnectionError: one of them cannot be. */
  take(payload: Buffer): void {
    for (let at = 0; at < payload.length; at += 6)
      this.#takeOne(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
  }

  #takeOne(id: number, value: number): void {
    switch (id) {
      case Setting.headerTableSize:
        this.#listener.onTableBytes(value);
        break;
      case Setting.enablePush:
        if (value > 1) throw protocolError('SETTINGS_ENABLE_PUSH is neither 0 nor 1');
        break;
      case Setting.initialWindowSize: {
        if (value > MAX_WINDOW_BYTES) {
          throw new Http2ConnectionError(
            ErrorCode.flowControlError,
            'SETTINGS_INITIAL_WINDOW_SIZE is too large',
          );
        }
        const change = value - this.windowBytes;
        this.windowBytes = value;
        this.#listener.onWindowChange(change);
        break;
      }
      case Setting.maxFrameSize:
        // Ours are never larger than the least that it may be.
        if (value < MAX_PAYLOAD_BYTES || value > MAX_FRAME_SIZE)
          throw protocolError('SETTINGS_MAX_FRAME_SIZE is out of its range');
        break;
    }
  }
}

function protocolError(message: string): Http2ConnectionError {
  return new Http2ConnectionError(ErrorCode.protocolError, message);
}
