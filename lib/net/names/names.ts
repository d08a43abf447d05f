/**
 * The addresses of backends that are given by name, for a whole worker. A name whose name server hangs delays nobody who asks for
 * another one.
 */
import { randomInt } from 'node:crypto';
import type { LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { growingLru } from '../../base/growing-lru.js';
import { systemClock } from '../../base/clock.js';
import { startUnrefTimer, type StartTimer } from '../../base/timer.js';
import type { Address } from '../../domain/address.js';
import { KnownName } from './known-name.js';
import { makeLookUp, type LookUp } from './look-up.js';

export interface NamesParts {
  /** @default by the system's files and name servers */
  readonly lookUp?: LookUp;
  /** @default the system's */
  now?(this: void): number;
  /** @default timers that do not keep the process alive */
  readonly startTimer?: StartTimer;
  /** See `KnownNameParts`. @default tells nobody */
  onHealth?(this: void, name: string, failure: string | undefined): void;
  /** Which address of a name is the first to come first, by its index in a list of any length. @default one by chance */
  firstTurn?(this: void): number;
}

interface Entry {
  readonly known: KnownName;
  /** Which of the addresses comes first: the next one each time. One count for all names would couple those asked in turn. */
  turn: number;
}

/** Follows one name, see `Names.follow`. */
export interface FollowedName {
  /** Whether a connection that has been made to this address is one to the name still. */
  has(address: string): boolean;
  stop(): void;
}

/** Where to connect, for `connect` of `node:net` and `node:tls` and for requests of `node:http`. */
export type Destination = Address & NameOptions;

interface NameOptions {
  readonly lookup?: LookupFunction;
  readonly autoSelectFamily?: boolean;
  readonly autoSelectFamilyAttemptTimeout?: number;
}

/** More names than backends have: those that a reload has taken away make room. */
const MAX_NAMES = 50_000;
/** After so long without a connection the next address is tried. */
const ATTEMPT_MS = 250;
/** More than a name has addresses: workers that start together begin with different ones. */
const MAX_FIRST_TURN = 2 ** 32;

export class Names {
  readonly #known = growingLru<string, Entry>(MAX_NAMES);
  readonly #makeEntry: (name: string) => Entry;

  constructor(parts: NamesParts = {}) {
    const { lookUp = makeLookUp(), now = systemClock.now, startTimer = startUnrefTimer } = parts;
    const onHealth = parts.onHealth ?? ((): void => undefined);
    const firstTurn = parts.firstTurn ?? ((): number => randomInt(MAX_FIRST_TURN));
    this.#makeEntry = (name) => ({
      known: new KnownName(name, { lookUp, now, startTimer, onHealth }),
      turn: firstTurn(),
    });
  }

  /** An address as it is: only names are looked up. All addresses of a name are tried, the next one each time first. */
  destination(address: Address): Destination {
    if (!isNamed(address)) return address;
    return {
      ...address,
      lookup: this.#lookup,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: ATTEMPT_MS,
    };
  }

  /**
   * Looks a name up again and again, while there are connections to it.
   *
   * @param onChange it has other addresses than before.
   * @returns undefined for an address: it stays what it is.
   */
  follow(address: Address, onChange: () => void): FollowedName | undefined {
    if (!isNamed(address)) return undefined;
    const { known } = this.#entryOf(address.host);
    return { has: (one) => known.has(one), stop: known.follow(onChange) };
  }

  readonly #lookup: LookupFunction = (name, { all }, callback) => {
    const entry = this.#entryOf(name);
    entry.known.ask((error, addresses) => {
      const first = entry.turn;
      entry.turn = (entry.turn + 1) % Number.MAX_SAFE_INTEGER;
      const found: LookupAddress[] = rotated(addresses, first).map((address) => ({
        address,
        family: isIP(address),
      }));
      const [one] = found;
      if (all === true) callback(error, found);
      else callback(error, one?.address ?? '', one?.family);
    });
  };

  #entryOf(host: string): Entry {
    const name = host.toLowerCase();
    const entry = this.#known.get(name) ?? this.#makeEntry(name);
    this.#known.set(name, entry);
    return entry;
  }
}

/** Whether an address has to be looked up. */
function isNamed(address: Address): address is Exclude<Address, { readonly socketPath: string }> {
  return !('socketPath' in address) && isIP(address.host) === 0;
}

/** Each family is rotated by itself: IPv4 stays in front. */
function rotated(addresses: readonly string[], by: number): readonly string[] {
  if (addresses.length < 2) return addresses;
  const turn = (family: readonly string[]): readonly string[] => {
    const first = family.length === 0 ? 0 : by % family.length;
    return [...family.slice(first), ...family.slice(0, first)];
  };
  const isV4 = (address: string): boolean => isIP(address) === 4;
  return [...turn(addresses.filter(isV4)), ...turn(addresses.filter((address) => !isV4(address)))];
}
