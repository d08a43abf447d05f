/**
 * A WebSocket that a client opens on a stream of HTTP/2: extended CONNECT (RFC 8441), whichever engine speaks it. It goes to backends as
 * the GET that it is on HTTP/1.1.
 *
 * What the client sends is a body like any other. Before the tunnel is open it waits, as much as its window lets in.
 */
import { eachField } from '../headers/fields.js';
import { WebSocketHandshake } from '../headers/web-socket.js';
import type { RequestBody } from './request-body.js';
import type { Tunnel, UpgradeRequest } from './request-context.js';
import { TunnelStream, type TunnelSide } from './tunnel-stream.js';

/** Fields of a 101 that a 200 to CONNECT has no use for (RFC 8441 §5, RFC 9110 §9.3.6). */
const OF_HTTP1 = new Set(['sec-websocket-accept', 'content-length']);

/** Whether a request is an extended CONNECT for a WebSocket. The names of protocols know no case. */
export const isForWebSocket = (method: string | undefined, protocol: string | undefined): boolean =>
  method === 'CONNECT' && protocol?.toLowerCase() === 'websocket';

/** A request to open a WebSocket. Nobody reads its stream until there is a response. */
export class ExtendedConnect implements UpgradeRequest {
  readonly protocol = 'websocket';
  readonly isRequired = true;
  readonly #body: RequestBody | null;
  readonly #open: (fields: readonly string[]) => TunnelSide;
  readonly #handshake = new WebSocketHandshake();

  /**
   * @param body what the client sends; null where that has ended already.
   * @param open answers 200 with such fields, and gives what is then the client's side.
   */
  constructor(body: RequestBody | null, open: (fields: readonly string[]) => TunnelSide) {
    this.#body = body;
    this.#open = open;
  }

  /** The fields of the request, as a backend needs them. */
  requestFields(fields: readonly string[]): string[] {
    return this.#handshake.request(fields);
  }

  isAnsweredBy(fields: readonly string[]): boolean {
    return this.#handshake.isAnsweredBy(fields);
  }

  /** @throws RangeError the fields are too large for HTTP/2 */
  open(_statusMessage: string, fields: readonly string[]): Tunnel {
    const passed: string[] = [];
    eachField(fields, (name, value) => {
      if (!OF_HTTP1.has(name.toLowerCase())) passed.push(name, value);
    });
    const stream = new TunnelStream(this.#open(passed), this.#body);
    return { stream, early: [], reset: () => stream.destroy() };
  }
}
