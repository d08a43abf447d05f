/**
 * A client that writes its own bytes: for requests that no HTTP library would make, and for reading answers as they come.
 */
import { connect as connectTcp } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { connectTls } from './client.js';

const TIMEOUT_MS = 15_000;

export class RawClient implements Disposable {
  readonly socket: TLSSocket;
  /** Everything that was received, as latin1. */
  received = '';
  isClosed = false;
  readonly #watchers = new Set<() => void>();

  /**
   * @param name the server name; the default certificate without one
   * @param proxyHeader sent before the handshake
   */
  static async connect(port: number, name?: string, proxyHeader?: Buffer): Promise<RawClient> {
    const socket = connectTcp(port, '127.0.0.1');
    if (proxyHeader !== undefined) socket.write(proxyHeader);
    return new RawClient(await connectTls({ port, socket, ...(name !== undefined && { servername: name }) }));
  }

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    const notify = (): void => {
      for (const watcher of [...this.#watchers]) watcher();
    };
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.received += text;
      notify();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isClosed = true;
      notify();
    });
  }

  send(text: string): this {
    this.socket.write(text, 'latin1');
    return this;
  }

  /** Sends all of it before a byte is read, as simple clients do. */
  async sendAll(text: string): Promise<void> {
    this.socket.pause();
    await new Promise<void>((resolve) => this.socket.write(text, 'latin1', () => resolve()));
    this.socket.resume();
  }

  /** Waits until something is true of what was received. */
  async until(what: string, isTrue: (client: this) => boolean): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const finish = (error?: Error): void => {
        clearTimeout(timer);
        this.#watchers.delete(check);
        if (error === undefined) resolve();
        else reject(error);
      };
      const fail = (why: string): void =>
        finish(new Error(`${why} while waiting until ${what}; received: ${this.received}`));
      const check = (): void => {
        if (isTrue(this)) finish();
        else if (this.isClosed) fail('the connection was closed');
      };
      const timer = setTimeout(() => fail('time is up'), TIMEOUT_MS);
      this.#watchers.add(check);
      check();
    });
  }

  /** Waits until the server has closed the connection; returns all that was received. */
  async closed(): Promise<string> {
    await this.until('the connection is closed', ({ isClosed }) => isClosed);
    return this.received;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}
