/**
 * The numbers of HTTP/2's frames (RFC 9113 §6, §7; RFC 8441 §3; RFC 9218 §7.1).
 */

export const FRAME_HEAD_BYTES = 9;
/** What every peer takes, and all that we let come: nobody is told of more (§4.2). */
export const MAX_PAYLOAD_BYTES = 16_384;
export const MAX_WINDOW_BYTES = 0x7fff_ffff;
/** Of each window before a SETTINGS or a WINDOW_UPDATE. */
export const INITIAL_WINDOW_BYTES = 65_535;

export const FrameType = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  rstStream: 0x3,
  settings: 0x4,
  pushPromise: 0x5,
  ping: 0x6,
  goaway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
  priorityUpdate: 0x10,
} as const;

export const Flag = { endStream: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

export const ErrorCode = {
  noError: 0x0,
  protocolError: 0x1,
  internalError: 0x2,
  flowControlError: 0x3,
  settingsTimeout: 0x4,
  streamClosed: 0x5,
  frameSizeError: 0x6,
  refusedStream: 0x7,
  cancel: 0x8,
  compressionError: 0x9,
  connectError: 0xa,
  enhanceYourCalm: 0xb,
  inadequateSecurity: 0xc,
  http11Required: 0xd,
} as const;

export const Setting = {
  headerTableSize: 0x1,
  enablePush: 0x2,
  maxConcurrentStreams: 0x3,
  initialWindowSize: 0x4,
  maxFrameSize: 0x5,
  maxHeaderListSize: 0x6,
  enableConnectProtocol: 0x8,
  noRfc7540Priorities: 0x9,
} as const;

/** What a client's connection begins with (§3.4). */
export const CLIENT_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** The peer has broken the protocol: its connection ends with a GOAWAY that says so (§5.4.1). */
export class Http2ConnectionError extends Error {
  /** An `ErrorCode`. */
  readonly code: number;

  /** @param message one clause, which quotes nothing of the peer's. */
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** @param message one clause, as for `Http2ConnectionError`. */
export function protocolError(message: string): Http2ConnectionError {
  return new Http2ConnectionError(ErrorCode.protocolError, message);
}

/** The same for what is more than a window. */
export function flowControlError(message: string): Http2ConnectionError {
  return new Http2ConnectionError(ErrorCode.flowControlError, message);
}
