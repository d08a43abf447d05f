/**
 * Answers that are on their way.
 */

export interface Answer {
  /**
   * @returns whether the answer is whole with this piece.
   * @throws Error for what is no such answer.
   */
  take(piece: Buffer): boolean;
}

export class CountedAnswer implements Answer {
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

/** The echo of a short WebSocket text frame. */
export class EchoAnswer implements Answer {
  readonly #frame: CountedAnswer;
  #isFirst = true;

  constructor(textBytes: number) {
    this.#frame = new CountedAnswer(2 + textBytes);
  }

  take(piece: Buffer): boolean {
    if (this.#isFirst && piece[0] !== 0x81) throw new Error(`no text frame but one of type ${piece[0]}`);
    this.#isFirst = false;
    return this.#frame.take(piece);
  }
}

/** A status and fields, and nothing behind them. */
export class UpgradeAnswer implements Answer {
  #head = '';

  take(piece: Buffer): boolean {
    this.#head += piece.toString('latin1');
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0) return false;
    if (!this.#head.startsWith('HTTP/1.1 101 ') || end + 4 !== this.#head.length) {
      throw new Error(`no upgrade but ${JSON.stringify(this.#head)}`);
    }
    return true;
  }
}

export class HttpAnswer implements Answer {
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
