/**
 * How a question says how long it is and how long an answer it wants, which is what the backends understand, and how its answer is
 * told to be whole.
 */
import { CountedAnswer, EchoAnswer, HttpAnswer, UpgradeAnswer, type Answer } from './answers.js';
import type { Amounts, Protocol } from './orders.js';
import { requestHead } from './request-head.js';

export type { Answer };

export interface Framing {
  /** What a client offers in its handshake. */
  readonly alpn: readonly string[];
  /** What is asked once, before everything else. */
  readonly opening?: (name: string) => Question;
  question(amounts: Amounts): Question;
}

/** What is sent, and what is waited for: the same again and again. */
export interface Question {
  /** One write, and so one TLS record where it is small. */
  readonly first: Buffer;
  /** What follows it, of whatever bytes. */
  readonly moreBytes: number;
  answer(): Answer;
}

/** Up to here a question is one write. */
const SMALL_BYTES = 8192;

function question(head: Buffer, upBytes: number, answer: () => Answer): Question {
  if (upBytes > SMALL_BYTES) return { first: head, moreBytes: upBytes, answer };
  return { first: Buffer.concat([head, Buffer.alloc(upBytes, 'x')]), moreBytes: 0, answer };
}

export const FRAMINGS: Readonly<Record<Protocol, Framing>> = {
  'http/1.1': {
    alpn: ['http/1.1'],
    question(amounts) {
      const { upBytes, downBytes } = amounts;
      return question(requestHead(amounts), upBytes, () => new HttpAnswer(downBytes));
    },
  },
  // Text frames of up to 125 bytes (RFC 6455), echoed.
  websocket: {
    alpn: ['http/1.1'],
    opening: (name) => question(upgradeHead(name), 0, () => new UpgradeAnswer()),
    question({ upBytes }) {
      const mask = Buffer.from([0x12, 0x34, 0x56, 0x78]);
      const text = Buffer.alloc(upBytes, 'x').map((byte, i) => byte ^ (mask[i % 4] ?? 0));
      const frame = Buffer.concat([Buffer.from([0x81, 0x80 | upBytes]), mask, text]);
      return question(frame, 0, () => new EchoAnswer(upBytes));
    },
  },
  // Two numbers of four bytes, big-endian: how many bytes follow, and how many are wanted.
  tcp: {
    alpn: [],
    question({ upBytes, downBytes }) {
      const head = Buffer.alloc(8);
      head.writeUInt32BE(upBytes, 0);
      head.writeUInt32BE(downBytes, 4);
      return question(head, upBytes, () => new CountedAnswer(downBytes));
    },
  },
};

function upgradeHead(name: string): Buffer {
  const fields = [
    ...['GET /echo HTTP/1.1', `Host: ${name}`, 'Upgrade: websocket', 'Connection: Upgrade'],
    ...['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='],
  ];
  return Buffer.from(`${fields.join('\r\n')}\r\n\r\n`);
}
