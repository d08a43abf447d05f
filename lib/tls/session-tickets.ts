/**
 * Session tickets: the keys that they are sealed with, and a new ticket for each that is used.
 *
 * Node by itself takes tickets of one key, and has OpenSSL issue no new one where a session of TLS 1.3 is resumed: a client that uses
 * each ticket once, as browsers do, has used up the two of its full handshake after two connections, and makes another full one. So
 * OpenSSL's question for a key is answered here: a ticket of any of our keys is taken, and a new one is issued, of the first.
 *
 * The question comes through `enableTicketKeyCallback` and `onticketkeycallback` of Node's native context, which are not documented:
 * nothing else uses them. It comes at most three times in a handshake, and all contexts share one function, whose answers are made
 * beforehand. That function must neither throw (nobody could catch it, and the worker would end) nor answer with anything but numbers
 * and buffers (Node would abort the process): so keys are examined when they are taken.
 */
import { randomFillSync } from 'node:crypto';
import type { SecureContext } from 'node:tls';

/** OpenSSL's name, HMAC key and AES key, one after the other. */
export const TICKET_KEY_BYTES = 48;

/** Each part of a key, and an initialisation vector. */
const PART_BYTES = 16;

/** Initialisation vectors are drawn so many at a time: one at a time takes longer than the rest of an answer. */
const VECTORS = 64;

/** What becomes of a ticket: OpenSSL's numbers (SSL_CTX_set_tlsext_ticket_key_cb). */
const REFUSED = 0;
const SEALED = 1;
const TAKEN_AND_RENEWED = 2;

/** The number, the HMAC key and the AES key; for a ticket to be sealed also the name of the key, and a vector. */
type Answer = readonly [number, Buffer, Buffer] | readonly [number, Buffer, Buffer, Buffer, Buffer];

interface Key {
  readonly name: Buffer;
  readonly hmac: Buffer;
  readonly aes: Buffer;
  /** For a ticket of this key. */
  readonly taken: Answer;
}

/** The part of Node's native context that is not in its types. */
interface NativeContext {
  enableTicketKeyCallback?(): void;
  /** @param isNew whether a ticket is to be sealed, and the other two say nothing. */
  onticketkeycallback?: (name: Buffer, vector: Buffer, isNew: boolean) => Answer;
}

const NO_PART = Buffer.alloc(PART_BYTES);
const REFUSAL: Answer = [REFUSED, NO_PART, NO_PART];

export class SessionTickets {
  #keys: readonly Key[] = [];
  readonly #vectors = Buffer.alloc(VECTORS * PART_BYTES);
  /** For a new ticket: one with each vector. */
  #seals: readonly Answer[] = [];
  #nextSeal = 0;

  /** @param keys as `take`. */
  constructor(keys: readonly Buffer[]) {
    this.take(keys);
  }

  /**
   * Takes new keys, for all contexts that have joined.
   *
   * @param keys `TICKET_KEY_BYTES` bytes each. New tickets are sealed with the first, and those of all are taken.
   * @throws RangeError when there is none, or one is not of that length: the keys stay as they were.
   */
  take(keys: readonly Buffer[]): void {
    const read = keys.map(readKey);
    const [first] = read;
    if (first === undefined) throw new RangeError('there is no session-ticket key');
    this.#keys = read;
    this.#seals = Array.from({ length: VECTORS }, (_, i) => {
      const vector = this.#vectors.subarray(i * PART_BYTES, (i + 1) * PART_BYTES);
      return [SEALED, first.hmac, first.aes, first.name, vector];
    });
    this.#nextSeal = 0;
  }

  /**
   * Has a context issue and take tickets of these keys, whatever they become. On a Node that has lost the callback, the context goes on
   * with a key of its own, which no other context takes: the tests of resumption fail then.
   */
  join(context: SecureContext): void {
    const native = context.context as NativeContext;
    native.onticketkeycallback = this.#answer;
    native.enableTicketKeyCallback?.();
  }

  readonly #answer = (name: Buffer, _vector: Buffer, isNew: boolean): Answer => {
    if (isNew) return this.#seal();
    for (const key of this.#keys) if (key.name.equals(name)) return key.taken;
    return REFUSAL;
  };

  #seal(): Answer {
    if (this.#nextSeal === 0) randomFillSync(this.#vectors);
    const seal = this.#seals[this.#nextSeal] ?? REFUSAL;
    this.#nextSeal = (this.#nextSeal + 1) % VECTORS;
    return seal;
  }
}

function readKey(key: Buffer): Key {
  if (key.length !== TICKET_KEY_BYTES) {
    throw new RangeError(`a session-ticket key has ${TICKET_KEY_BYTES} bytes, this one ${key.length}`);
  }
  const name = key.subarray(0, PART_BYTES);
  const hmac = key.subarray(PART_BYTES, 2 * PART_BYTES);
  const aes = key.subarray(2 * PART_BYTES);
  return { name, hmac, aes, taken: [TAKEN_AND_RENEWED, hmac, aes] };
}
