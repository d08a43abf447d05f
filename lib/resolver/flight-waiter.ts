/**
 * Step 3 of the order in `resolver.ts`: joins the flight of a name, or starts it, and waits as long as this waiter may. The flight
 * goes on behind the waiter, and fills the caches.
 */
import type { Clock } from '../base/clock.js';
import type { PemCache } from '../caches/pem-cache.js';
import { datesProblem, type CertificateBundle } from '../domain/certificate.js';
import { describeError } from '../domain/errors.js';
import type { Resolution, ResolveRequest } from '../domain/lookup.js';
import type { ServerName } from '../domain/server-name.js';
import { logOfHandshake, type Logger } from '../log/logger.js';
import { answer, pending } from './answer.js';
import type { Outcome } from './conclude.js';
import type { LookUps } from './look-up.js';
import type { ResolverObserver } from './observer.js';
import type { Flight, SingleFlight } from './single-flight.js';

/** What a worker asks, and until when it waits for all of the answer: by the clock for durations. */
export type Question = ResolveRequest & { readonly untilMs: number };

export interface WaitSettings {
  readonly lookupTimeoutMs: number;
  /** The same where a valid certificate is retained. */
  readonly refreshTimeoutMs: number;
  readonly errorCacheDurationMs: number;
}

export interface FlightWaiterParts {
  readonly pem: PemCache;
  readonly log: Logger;
  readonly clock: Clock;
  readonly flights: SingleFlight<Outcome>;
  readonly lookUps: LookUps;
  readonly observer?: ResolverObserver;
}

export class FlightWaiter {
  readonly #parts: FlightWaiterParts;
  #settings: WaitSettings;

  constructor(parts: FlightWaiterParts, settings: WaitSettings) {
    this.#parts = parts;
    this.#settings = settings;
  }

  configure(settings: WaitSettings): void {
    this.#settings = settings;
  }

  /**
   * Waits for a flight of the name. Never rejects.
   *
   * @param mayOrder false: the flight is for the other half of the certificate that is there.
   */
  async wait(name: ServerName, request: Question, mayOrder = true): Promise<Resolution> {
    const { pem, log, clock, flights, lookUps } = this.#parts;
    const throughOrder = request.phase === 'order';
    const under = flights.get(name);
    const flight = under ?? flights.start(name, (self) => lookUps.run(name, request, self, mayOrder));
    const lastGood = pem.get(name)?.entry.certificate;
    // A client that needs the other half cannot be served with what is there.
    const goodEnough = mayOrder ? lastGood : undefined;
    const leftMs = Math.max(0, request.untilMs - clock.now());
    const patienceMs = throughOrder ? leftMs : Math.min(leftMs, this.#patienceMs(flight, goodEnough));
    try {
      const arrival = await flight.wait(patienceMs, {
        first: under === undefined,
        throughOrder,
        // Who has nothing yet can do with one half, and has waited for it already.
        offerPatienceMs: mayOrder && lastGood === undefined ? this.#settings.refreshTimeoutMs : undefined,
      });
      if (arrival.kind !== 'landed' && goodEnough !== undefined)
        this.#parts.observer?.onStale('refresh-late');
      switch (arrival.kind) {
        case 'landed':
          return answer(flight.current ? arrival.value : { ...arrival.value, keepMs: 0 }, request, lastGood);
        case 'late':
          if (arrival.soFar !== undefined) return answer(arrival.soFar, request);
          // It may have become an order meanwhile, that its starter has come back to wait for.
          return flight.ordering
            ? pending('a certificate is being ordered', request, lastGood, 'ordering')
            : pending('the sources have not answered in time', request, lastGood, 'sources-late');
        case 'ordering':
          return {
            ...pending('a certificate is being ordered', request, lastGood, 'ordering'),
            ...(arrival.starter ? { starter: true as const } : {}),
          };
      }
    } catch (thrown) {
      const ownLog = logOfHandshake(log, request.handshake);
      ownLog.err('look-up failed', { name, error: describeError(thrown) });
      // No mistake in a source, nor one of ours, takes away what is at hand.
      if (goodEnough !== undefined) return pending('internal error', request, goodEnough);
      return { kind: 'unavailable', reason: 'internal error', keepMs: this.#settings.errorCacheDurationMs };
    }
  }

  /** A waiter with a certificate to go on with need not wait again for sources that have already had their time. */
  #patienceMs(flight: Flight<Outcome>, lastGood: CertificateBundle | undefined): number {
    const { clock } = this.#parts;
    const { lookupTimeoutMs, refreshTimeoutMs } = this.#settings;
    if (lastGood === undefined) return lookupTimeoutMs;
    const isValid = datesProblem(lastGood, clock.date()) === undefined;
    const limitMs = isValid ? Math.min(refreshTimeoutMs, lookupTimeoutMs) : lookupTimeoutMs;
    return clock.now() - flight.startedAtMs >= limitMs ? 0 : limitMs;
  }
}
