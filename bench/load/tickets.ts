/**
 * Tickets that servers gave.
 */
import type { TicketUse } from './orders.js';

export class Tickets {
  /** The newest one last. */
  readonly #known = new Map<string, Buffer[]>();

  /** @returns what the next connection to a server offers; undefined where its handshake has to be a full one. */
  take(server: string, use: TicketUse): Buffer | undefined {
    const known = this.#known.get(server);
    return use === 'once' ? known?.pop() : use === 'again' ? known?.at(-1) : undefined;
  }

  keep(server: string, use: TicketUse, ticket: Buffer): void {
    if (use === 'none') return;
    const known = this.#known.get(server);
    if (use === 'once' && known !== undefined) known.push(ticket);
    else this.#known.set(server, [ticket]);
  }

  forget(): void {
    this.#known.clear();
  }
}
