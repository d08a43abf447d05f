/**
 * The clients of the scenario "truth": handshakes at a steady rate, every one noted.
 */
import { once } from 'node:events';
import { connect } from 'node:tls';
import { describeHandshake } from './client.js';
import { SeededRandom } from './truth-random.js';

export interface Visit {
  readonly name: string;
  /** Milliseconds since 1970: before it connected, and when the handshake was over. */
  readonly beganMs: number;
  readonly endedMs: number;
  /** SHA-256 of the leaf; undefined where the handshake failed. */
  readonly leaf?: string;
  readonly error?: string;
}

const PER_SECOND = 120;
const MAX_UNDER_WAY = 60;
const AT_ONCE_AT_FIRST = 8;
const TIMEOUT_MS = 10_000;
/** So many of the names that were named last are visited more often: half of all visits are theirs. */
const MAX_LATEST = 30;

export class TruthClients {
  readonly visits: Visit[] = [];
  readonly #port: number;
  readonly #names: readonly string[];
  readonly #random: SeededRandom;
  readonly #latest: string[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #turn = 0;

  constructor(port: number, names: readonly string[], seed: number) {
    this.#port = port;
    this.#names = names;
    this.#random = new SeededRandom(seed);
  }

  /** Something has changed about a name: it is visited more often for a while. */
  watch(name: string): void {
    this.#latest.push(name);
    if (this.#latest.length > MAX_LATEST) this.#latest.shift();
  }

  /** Visits every name once, a few at a time. */
  async visitAll(): Promise<void> {
    const rest = this.#names.values();
    const takeTurns = async (): Promise<void> => {
      for (const name of rest) await this.visit(name);
    };
    await Promise.all(Array.from({ length: AT_ONCE_AT_FIRST }, takeTurns));
  }

  start(): void {
    this.#timer = setInterval(() => {
      if (this.#underWay.size < MAX_UNDER_WAY) void this.visit(this.#next());
    }, 1_000 / PER_SECOND);
  }

  /** No more visits; returns when those under way are over. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#underWay);
  }

  visit(name: string): Promise<void> {
    const visit = this.#visit(name).finally(() => this.#underWay.delete(visit));
    this.#underWay.add(visit);
    return visit;
  }

  #next(): string {
    const latest = this.#latest[this.#turn++ % MAX_LATEST];
    return latest !== undefined && this.#random.next() < 0.5 ? latest : this.#random.pick(this.#names);
  }

  async #visit(name: string): Promise<void> {
    const beganMs = Date.now();
    const socket = connect({
      ...{ host: '127.0.0.1', port: this.#port, servername: name, rejectUnauthorized: false },
    });
    const timer = setTimeout(() => socket.destroy(new Error('no end in sight')), TIMEOUT_MS);
    try {
      await once(socket, 'secureConnect');
      const endedMs = Date.now();
      const leaf = describeHandshake(socket).certificate.fingerprint256;
      this.visits.push({ name, beganMs, endedMs, leaf });
      socket.on('error', () => undefined); // all that was wanted is there
      socket.resume().end();
      if (!socket.closed) await once(socket, 'close');
    } catch (thrown) {
      this.visits.push({ name, beganMs, endedMs: Date.now(), error: String(thrown) });
      socket.destroy();
    } finally {
      clearTimeout(timer);
    }
  }
}
