/**
 * The fields of a WebSocket's opening handshake on HTTP/1.1 (RFC 6455 §4), for one that a client opens on HTTP/2, which has none of
 * them (RFC 8441 §5.1).
 */
import { createHash, randomBytes } from 'node:crypto';
import { eachField, joinedValues } from './fields.js';

const KEY_BYTES = 16;
/** RFC 6455 §1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const VERSION = '13';

/** The keys of a handshake: the one that is sent to the backend, and what it must answer to it. */
export class WebSocketHandshake {
  readonly #key = randomBytes(KEY_BYTES).toString('base64');

  /** The fields of a request with a key of ours, and with a version where there is none. */
  request(fields: readonly string[]): string[] {
    const passed: string[] = [];
    eachField(fields, (name, value) => {
      if (name.toLowerCase() !== 'sec-websocket-key') passed.push(name, value);
    });
    passed.push('Sec-WebSocket-Key', this.#key);
    if (joinedValues(passed, 'sec-websocket-version') === undefined)
      passed.push('Sec-WebSocket-Version', VERSION);
    return passed;
  }

  /** Whether the fields of a 101 are those of a server that has understood the request (RFC 6455 §4.1). */
  isAnsweredBy(fields: readonly string[]): boolean {
    const accept = createHash('sha1').update(`${this.#key}${GUID}`).digest('base64');
    return (
      joinedValues(fields, 'sec-websocket-accept') === accept &&
      joinedValues(fields, 'upgrade')?.toLowerCase() === 'websocket'
    );
  }
}
