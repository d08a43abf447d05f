/**
 * A connection on which one question is asked after the other, each when the answer to the last one is whole.
 */
import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { FRAMINGS, type Answer } from './framings.js';
import type { Amounts, Protocol } from './orders.js';
import { connectTls } from './tls.js';

/** What uploads are made of. */
const PIECE = Buffer.alloc(1024 ** 2, 'x');
/** Up to here a question is one write, and so one TLS record. */
const SMALL_BYTES = 8192;

interface Waiter {
  readonly answer: Answer;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export interface KeptConnectionOptions {
  readonly port: number;
  readonly name: string;
  readonly protocol: Protocol;
}

export class KeptConnection {
  readonly socket: TLSSocket;
  #waiter: Waiter | undefined;

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('data', (piece: Buffer) => this.#onData(piece));
    socket.on('error', (error: Error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the connection was closed within an exchange')));
  }

  static async open({ port, name, protocol }: KeptConnectionOptions): Promise<KeptConnection> {
    const socket = connectTls(port, name, { ALPNProtocols: [...FRAMINGS[protocol].alpn] });
    await once(socket, 'secureConnect');
    return new KeptConnection(socket);
  }

  /** One exchange. @throws Error when its answer is another one, or none. */
  async ask(amounts: Amounts): Promise<void> {
    const framing = FRAMINGS[amounts.protocol];
    const answered = new Promise<void>((resolve, reject) => {
      this.#waiter = { answer: framing.answer(amounts), resolve, reject };
    });
    await Promise.all([answered, this.#send(framing.head(amounts), amounts.upBytes)]);
  }

  async #send(head: Buffer, upBytes: number): Promise<void> {
    if (upBytes <= SMALL_BYTES) {
      this.socket.write(Buffer.concat([head, PIECE.subarray(0, upBytes)]));
      return;
    }
    this.socket.write(head);
    for (let left = upBytes; left > 0; left -= PIECE.length) {
      if (this.socket.write(PIECE.subarray(0, Math.min(left, PIECE.length)))) continue;
      await once(this.socket, 'drain');
    }
  }

  #onData(piece: Buffer): void {
    const waiter = this.#waiter;
    try {
      if (waiter === undefined) throw new Error('bytes that nobody has asked for');
      if (!waiter.answer.take(piece)) return;
      this.#waiter = undefined;
      waiter.resolve();
    } catch (error) {
      this.socket.destroy(error as Error);
    }
  }

  #fail(error: Error): void {
    this.#waiter?.reject(error);
    this.#waiter = undefined;
  }
}
