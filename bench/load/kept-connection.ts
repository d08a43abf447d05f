/**
 * A connection on which one question is asked after the other, each when the answer to the last one is whole.
 */
import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { FRAMINGS, type Answer, type Question } from './framings.js';
import type { Protocol } from './orders.js';
import { certificateOf, connectTls } from './tls.js';

/** What uploads are made of. */
const PIECE = Buffer.alloc(1024 ** 2, 'x');

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
  /** SHA-256 of the server's certificate. */
  readonly certificate: string;
  #waiter: Waiter | undefined;
  #failure: Error | undefined;

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    this.certificate = certificateOf(socket);
    socket.on('data', (piece: Buffer) => this.#onData(piece));
    socket.on('error', (error: Error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the connection was closed')));
  }

  static async open({ port, name, protocol }: KeptConnectionOptions): Promise<KeptConnection> {
    const { alpn, opening } = FRAMINGS[protocol];
    const socket = connectTls(port, name, 'TLSv1.3', { ALPNProtocols: [...alpn] });
    await once(socket, 'secureConnect');
    const connection = new KeptConnection(socket);
    if (opening !== undefined) await connection.ask(opening(name));
    return connection;
  }

  /** One exchange. @throws Error when its answer is another one, or none. */
  async ask(question: Question): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const answered = new Promise<void>((resolve, reject) => {
      this.#waiter = { answer: question.answer(), resolve, reject };
    });
    if (question.moreBytes === 0) {
      this.socket.write(question.first);
      return answered;
    }
    await Promise.all([answered, this.#send(question)]);
  }

  async #send({ first, moreBytes }: Question): Promise<void> {
    this.socket.write(first);
    for (let left = moreBytes; left > 0; left -= PIECE.length) {
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
    this.#failure ??= error;
    this.#waiter?.reject(error);
    this.#waiter = undefined;
  }
}
