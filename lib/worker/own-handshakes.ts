/**
 * Tells the handshakes that the program makes with itself, to see what clients are served, from those of clients: they would look like
 * clients that fail.
 *
 * They offer one protocol by ALPN (RFC 7301) that is a random word, which the primary has told the workers just before and which never
 * leaves the machine: nobody else can offer it. Where no word is expected, which is nearly always, a handshake costs one comparison here.
 */
import type { TlsClientSocket } from '../net/client-socket.js';
import { destroyOnError } from '../net/destroy-on-error.js';
import { parseClientHello } from '../tls/client-hello.js';

export class OwnHandshakes {
  readonly #now: () => number;
  /** Until when each word is expected. */
  readonly #markers = new Map<string, number>();
  /** The ids of those that are under way. */
  readonly #underWay = new Set<string>();

  /** @param now the time in milliseconds, from any origin. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** @param forMs 0: it is expected no more. */
  expect(marker: string, forMs: number): void {
    if (forMs > 0) this.#markers.set(marker, this.#now() + forMs);
    else this.#markers.delete(marker);
  }

  /** Looks at a handshake whose ClientHello is complete. Each of them has to be taken, or it is never forgotten. */
  see(asker: { readonly handshake: string }, hello: Buffer): void {
    if (this.#markers.size > 0 && this.#isMarked(hello)) this.#underWay.add(asker.handshake);
  }

  /** Whether a handshake that is over was our own. */
  take(over: { readonly handshake?: string | undefined }): boolean {
    return this.#underWay.size > 0 && this.#underWay.delete(over.handshake ?? '');
  }

  #isMarked(hello: Buffer): boolean {
    const nowMs = this.#now();
    for (const [marker, untilMs] of this.#markers) if (untilMs <= nowMs) this.#markers.delete(marker);
    const read = parseClientHello(hello);
    return read.kind === 'hello' && read.alpn.some((protocol) => this.#markers.has(protocol));
  }
}

/** What becomes of the connection of such a handshake: no request comes, and the primary ends it as soon as it has the certificate. */
export function leaveToEnd(socket: TlsClientSocket): void {
  // A reset is an end, too.
  destroyOnError(socket);
  socket.once('end', () => socket.destroy());
  socket.resume();
}
