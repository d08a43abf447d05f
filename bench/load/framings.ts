/**
 * How a question says how long it is and how long an answer it wants, which is what `../backend.ts` understands, and how its answer
 * is told to be whole.
 */
import type { Amounts, Protocol } from './orders.js';

export interface Framing {
  /** What a client offers in its handshake. */
  readonly alpn: readonly string[];
  /** What comes before the bytes of a question. */
  head(amounts: Amounts): Buffer;
  answer(amounts: Amounts): Answer;
}

/** An answer that is on its way. */
export interface Answer {
  /**
   * @returns whether the answer is whole with this piece.
   * @throws Error for what is no such answer.
   */
  take(piece: Buffer): boolean;
}

export const FRAMINGS: Readonly<Record<Protocol, Framing>> = {
  'http/1.1': {
    alpn: ['http/1.1'],
    head({ name, upBytes, downBytes }) {
      const length = upBytes === 0 ? '' : `Content-Length: ${upBytes}\r\n`;
      const method = upBytes === 0 ? 'GET' : 'POST';
      return Buffer.from(`${method} /${downBytes} HTTP/1.1\r\nHost: ${name}\r\n${length}\r\n`);
    },
    answer: ({ downBytes }) => new HttpAnswer(downBytes),
  },
  // Two numbers of four bytes, big-endian: how many bytes follow, and how many are wanted.
  tcp: {
    alpn: [],
    head({ upBytes, downBytes }) {
      const head = Buffer.alloc(8);
      head.writeUInt32BE(upBytes, 0);
      head.writeUInt32BE(downBytes, 4);
      return head;
    },
    answer: ({ downBytes }) => new CountedAnswer(downBytes),
  },
};

class CountedAnswer implements Answer {
  #missing: number;

  constructor(bytes: number) {
    this.#missing = bytes;
  }

  take(piece: Buffer): boolean {
    this.#missing -= piece.length;
    if (this.#missing < 0) throw new Error(`an answer that is ${-this.#missing} bytes too long`);
    return this.#missing === 0;
  }
}

class HttpAnswer implements Answer {
  readonly #bytes: number;
  #head = '';
  #body: CountedAnswer | undefined;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  take(piece: Buffer): boolean {
    if (this.#body !== undefined) return this.#body.take(piece);
    this.#head += piece.toString('latin1');
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const head = this.#head.slice(0, end);
    const length = /^content-length: *(\d+)$/im.exec(head)?.[1];
    if (!head.startsWith('HTTP/1.1 200 ') || length !== String(this.#bytes)) {
      throw new Error(`no answer of ${this.#bytes} bytes but ${JSON.stringify(head)}`);
    }
    this.#body = new CountedAnswer(this.#bytes);
    return this.#body.take(Buffer.from(this.#head.slice(end + 4), 'latin1'));
  }
}
