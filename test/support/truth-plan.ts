/**
 * What happens in the scenario "truth", all of it from a seed: which sources each name is in, what changes there and when, and
 * what goes wrong meanwhile.
 */
import { SeededRandom } from './truth-random.js';

/** In the order in which the program asks them. */
export const SOURCES = ['directory', 'redis', 'manager'] as const;
export type SourceName = (typeof SOURCES)[number];

/** What is put into a source: a certificate that is right in every respect, or one of the wrong ones. */
export type Make = 'good' | 'expired' | 'self-signed' | 'client-only' | 'other-name' | 'refused' | 'cut';

export interface Change {
  readonly kind: 'renew' | 'worsen' | 'remove' | 'corrupt';
  /** Milliseconds after the beginning. */
  readonly atMs: number;
  readonly name: string;
  readonly source: SourceName;
  /** Absent: the source loses what it has. */
  readonly make?: Make;
}

export interface Fault {
  readonly kind:
    | 'empty redis'
    | 'freeze redis'
    | 'sick manager'
    | 'reload'
    | 'kill worker'
    | 'stop primary'
    | 'step clock'
    | 'expire';
  readonly atMs: number;
  /** How long it lasts. 0: it is over at once. */
  readonly forMs: number;
  /** Of an expire. */
  readonly name?: string;
  /** Of a step: how far the wall clock is from the right time then. */
  readonly offsetMs?: number;
}

export interface Plan {
  /** The sources of each name; of some none at all. */
  readonly homes: ReadonlyMap<string, readonly SourceName[]>;
  /** In the order of their times. */
  readonly events: readonly (Change | Fault)[];
}

const HOMES: readonly (readonly SourceName[])[] = [
  ['directory'],
  ['redis'],
  ['manager'],
  ['directory', 'redis'],
  ['redis', 'manager'],
  ['directory', 'manager'],
  ['directory', 'redis', 'manager'],
];
/** Of how many names one is in no source. */
const UNKNOWN_EACH = 25;
const CHANGES_PER_SECOND = 10;
/** Between two changes of a name at a source, so that the first can be seen. */
const MIN_GAP_MS = 3_000;
const STOP_MS = 3_000;
/** It is stepped by so much, forwards and back in turn: never to before certificates are made that are valid from then on. */
const STEP_MS = 3_600_000;
/** One of each within this time. */
const FAULT_PERIODS_MS: Readonly<Record<Fault['kind'], number>> = {
  'empty redis': 10_000,
  'freeze redis': 10_000,
  'sick manager': 10_000,
  reload: 4_000,
  'kill worker': 6_000,
  'stop primary': 25_000,
  'step clock': 5_000,
  expire: 800,
};
const WORSE: readonly Make[] = ['expired', 'self-signed', 'client-only', 'other-name', 'refused'];

export function makePlan(seed: number, seconds: number, nameCount: number): Plan {
  const random = new SeededRandom(seed);
  const homes = new Map<string, readonly SourceName[]>();
  for (let index = 0; index < nameCount; index++) {
    const home = index % UNKNOWN_EACH === UNKNOWN_EACH - 1 ? [] : random.pick(HOMES);
    homes.set(`n${index}.truth.test`, home);
  }
  const endMs = seconds * 1_000;
  const faults = planFaults(random, homes, endMs);
  const events = [...planChanges(random, homes, endMs), ...faults, ...planReissues(faults, homes)];
  return { homes, events: events.sort((a, b) => a.atMs - b.atMs) };
}

function planChanges(random: SeededRandom, homes: Plan['homes'], endMs: number): Change[] {
  const places = [...homes].flatMap(([name, sources]) => sources.map((source) => ({ name, source })));
  const changedAtMs = new Map<(typeof places)[number], number>();
  const changes: Change[] = [];
  for (let atMs = 0; atMs < endMs; atMs += random.between(0.5, 1.5) * (1_000 / CHANGES_PER_SECOND)) {
    // Some names again and again: what follows on something wrong is where the faults are.
    const place = random.pick(random.next() < 0.5 ? places.slice(0, 30) : places);
    const draw = random.next();
    const worse = random.pick(WORSE);
    if (atMs - (changedAtMs.get(place) ?? -Infinity) < MIN_GAP_MS) continue;
    changedAtMs.set(place, atMs);
    if (draw < 0.4) changes.push({ kind: 'renew', atMs, ...place, make: 'good' });
    else if (draw < 0.8) changes.push({ kind: 'worsen', atMs, ...place, make: worse });
    else if (draw < 0.92) changes.push({ kind: 'remove', atMs, ...place });
    else changes.push({ kind: 'corrupt', atMs, ...place, make: 'cut' });
  }
  return changes;
}

/** Who expires a name has another certificate at the manager by then: only Redis still has what was withdrawn. */
function planReissues(faults: readonly Fault[], homes: Plan['homes']): Change[] {
  return faults.flatMap(({ kind, name, atMs }) =>
    kind === 'expire' && name !== undefined && homes.get(name)?.includes('manager') === true
      ? [{ kind: 'renew', atMs: atMs - 1, name, source: 'manager', make: 'good' } as const]
      : [],
  );
}

function planFaults(random: SeededRandom, homes: Plan['homes'], endMs: number): Fault[] {
  const faults: Fault[] = [];
  const names = [...homes.keys()];
  // Where an expire decides what is served: in Redis, with the manager to say otherwise.
  const decided = names.filter((name) => String(homes.get(name)) === 'redis,manager');
  const pickExpired = (): string => random.pick(random.next() < 0.7 ? decided : names);
  let offsetMs = 0;
  for (const [kind, periodMs] of Object.entries(FAULT_PERIODS_MS) as [Fault['kind'], number][]) {
    const lengthMs = Math.min(periodMs, endMs);
    for (let beginMs = 0; beginMs + lengthMs <= endMs; beginMs += lengthMs) {
      const atMs = beginMs + random.between(0.1, 0.7) * lengthMs;
      const forMs = {
        ...{ 'empty redis': random.between(1_000, 2_500), 'freeze redis': random.between(300, 2_000) },
        ...{ 'sick manager': random.between(500, 2_500), 'stop primary': STOP_MS },
        ...{ reload: 0, 'kill worker': 0, 'step clock': 0, expire: 0 },
      }[kind];
      const fault = { kind, atMs, forMs };
      if (kind === 'expire') faults.push({ ...fault, name: pickExpired() });
      else if (kind === 'step clock')
        faults.push({ ...fault, offsetMs: (offsetMs = offsetMs === 0 ? STEP_MS : 0) });
      else faults.push(fault);
    }
  }
  return faults;
}
