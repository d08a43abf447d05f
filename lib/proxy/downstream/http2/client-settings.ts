/**
 * What a client's SETTINGS ask of us (RFC 9113 §6.5.2, RFC 9218 §2.1).
 */
import {
  ErrorCode,
  flowControlError,
  Http2ConnectionError,
  INITIAL_WINDOW_BYTES,
  MAX_PAYLOAD_BYTES,
  MAX_WINDOW_BYTES,
  Setting,
  protocolError,
} from '../../http2/frames.js';

const MAX_FRAME_SIZE = 0xff_ffff;
/** Of a frame. nghttp2 takes as many; there are eight that anybody knows. */
const MAX_SETTINGS = 32;
const SETTING_BYTES = 6;

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

  /** @param payload of a SETTINGS frame. @throws Http2ConnectionError: one of them cannot be, or there are too many. */
  take(payload: Buffer): void {
    if (payload.length > MAX_SETTINGS * SETTING_BYTES)
      throw new Http2ConnectionError(ErrorCode.enhanceYourCalm, 'SETTINGS has too many of them');
    const { windowBytes } = this;
    for (let at = 0; at < payload.length; at += SETTING_BYTES)
      this.#takeOne(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    // Once a frame: each change goes through all streams.
    if (this.windowBytes !== windowBytes) this.#listener.onWindowChange(this.windowBytes - windowBytes);
  }

  #takeOne(id: number, value: number): void {
    switch (id) {
      case Setting.headerTableSize:
        this.#listener.onTableBytes(value);
        break;
      case Setting.enablePush:
        if (value > 1) throw protocolError('SETTINGS_ENABLE_PUSH is neither 0 nor 1');
        break;
      case Setting.initialWindowSize:
        if (value > MAX_WINDOW_BYTES) {
          throw flowControlError('SETTINGS_INITIAL_WINDOW_SIZE is too large');
        }
        this.windowBytes = value;
        break;
      case Setting.maxFrameSize:
        // Ours are never larger than the least that it may be.
        if (value < MAX_PAYLOAD_BYTES || value > MAX_FRAME_SIZE)
          throw protocolError('SETTINGS_MAX_FRAME_SIZE is out of its range');
        break;
      case Setting.noRfc7540Priorities:
        if (value > 1) throw protocolError('SETTINGS_NO_RFC7540_PRIORITIES is neither 0 nor 1');
        break;
    }
  }
}
