/** Autocert with a manager whose orders end when the test says so, and a clock that the test sets. */
import type { AutocertSettings } from '../../lib/config/settings.js';
import type { Lookup } from '../../lib/domain/lookup.js';
import type { ServerName } from '../../lib/domain/server-name.js';
import type { Logger } from '../../lib/log/logger.js';
import { Autocert } from '../../lib/sources/manager/autocert.js';
import type { OrderQueueLimits } from '../../lib/sources/manager/order-queue.js';
import type { OrderVerdict, QueryVerdict } from '../../lib/sources/manager/schema.js';
import type { LookupContext } from '../../lib/sources/source.js';

export const NAME = 'a.test' as ServerName;
export const ABSENT: QueryVerdict = { lookup: { kind: 'absent' }, mayOrder: 'yes' };
export const AMBIGUOUS: QueryVerdict = {
  lookup: { kind: 'unavailable', reason: 'it answered 500', scope: 'name' },
  mayOrder: 'unless-known',
};
export const FOUND: QueryVerdict = { lookup: { kind: 'found', candidates: [] }, mayOrder: 'no' };
export const DOWN: QueryVerdict = {
  lookup: { kind: 'unavailable', reason: 'down', scope: 'source' },
  mayOrder: 'no',
};
export const ISSUED: OrderVerdict = { kind: 'issued', candidates: [[{ chainPem: 'chain', keyPem: 'key' }]] };
export const REFUSED: OrderVerdict = { kind: 'refused', message: 'blocklisted' };
export const FAILED: OrderVerdict = { kind: 'failed', reason: 'it answered 500' };
export const ACTIVE: OrderVerdict = { kind: 'active', message: 'active challenges' };

/** A manager whose orders end when the test says so. */
export class FakeOrderClient {
  readonly placed: ServerName[] = [];
  readonly asked: ServerName[] = [];
  verdict: OrderVerdict = ISSUED;
  permission: 'yes' | 'no' | { failure: string } = 'yes';
  isHeld = false;
  readonly #held: (() => void)[] = [];

  async order(name: ServerName): Promise<OrderVerdict> {
    this.placed.push(name);
    if (this.isHeld) await new Promise<void>((resolve) => this.#held.push(resolve));
    return this.verdict;
  }

  async ask(_url: string, name: ServerName): Promise<'yes' | 'no' | { failure: string }> {
    this.asked.push(name);
    if (this.isHeld) await new Promise<void>((resolve) => this.#held.push(resolve));
    return this.permission;
  }

  release(count = Infinity): void {
    for (const resolve of this.#held.splice(0, count)) resolve();
  }
}

/** What one test works with. */
export class AutocertStage {
  readonly orderClient = new FakeOrderClient();
  /** What was logged as an error, one line each. */
  readonly errors: string[] = [];
  readonly notices: string[] = [];
  readonly infos: string[] = [];
  /** What the observer of orders was told: how they ended, and after how long. */
  readonly ended: string[] = [];
  nowMs = Date.UTC(2027, 0, 1);

  make(
    settings: Partial<AutocertSettings> = {},
    queueLimits?: Partial<OrderQueueLimits>,
    isCovered?: (name: ServerName) => boolean,
  ): Autocert {
    const log: Logger = {
      err: (message, fields) => void this.errors.push(`${message} ${JSON.stringify(fields)}`),
      notice: (message, fields) => void this.notices.push(`${message} ${JSON.stringify(fields)}`),
      info: (message, fields) => void this.infos.push(`${message} ${JSON.stringify(fields)}`),
      debug: () => undefined,
      enabled: () => true,
    };
    return new Autocert({
      settings: { allow: ['*'], holdoffMs: 900_000, concurrency: 2, timeoutMs: 30_000, ...settings },
      orderClient: this.orderClient,
      log,
      now: () => this.nowMs,
      onOrder: (result, tookMs) => void this.ended.push(`${result} ${tookMs}`),
      ...(isCovered !== undefined && { isCovered }),
      ...(queueLimits !== undefined && {
        queueLimits: { max: 1_000, maxPerClient: 1_000, maxPerParent: 1_000, ...queueLimits },
      }),
    });
  }
}

export function follow(
  autocert: Autocert,
  query = ABSENT,
  name: string = NAME,
  context: Partial<LookupContext> = {},
): Promise<Lookup> {
  return autocert.follow(name as ServerName, query, { signal: new AbortController().signal, ...context });
}

/** Lets everything that can go on, go on. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
