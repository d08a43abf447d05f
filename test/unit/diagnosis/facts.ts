/** Facts of a name that is served as it should be, for tests that change one thing of them. */
import type { ClientFacts, WhyFacts } from '../../../lib/diagnosis/report.js';
import type {
  CachedFacts,
  CandidateFacts,
  NameFacts,
  OrderFacts,
  PrimaryFacts,
  SourceFacts,
} from '../../../lib/domain/inspection.js';
import type { LeafFacts } from '../../../lib/domain/leaf-facts.js';

export const NOW_MS = Date.UTC(2026, 5, 1, 12);
const DAY_MS = 86_400_000;

export function leaf(digit: string, changes: Partial<LeafFacts> = {}): LeafFacts {
  return {
    fingerprint: digit.repeat(64),
    names: ['www.a.test'],
    issuer: 'Test CA',
    key: 'RSA 2048',
    notBeforeMs: NOW_MS - DAY_MS,
    notAfterMs: NOW_MS + 30 * DAY_MS,
    ...changes,
  };
}

/** What is served. */
export const LEAF = leaf('a');
/** What was served before. */
export const OLD = leaf('b', { notBeforeMs: NOW_MS - 60 * DAY_MS });
export const EXPIRED = leaf('c', { notBeforeMs: NOW_MS - 90 * DAY_MS, notAfterMs: NOW_MS - DAY_MS });
export const EARLY = leaf('d', { notBeforeMs: NOW_MS + DAY_MS });
export const DEFAULT = leaf('e', { names: ['default.invalid'] });

export const best = (of: LeafFacts = LEAF): CandidateFacts => ({ leaf: of, verdict: 'best' });
export const expired: CandidateFacts = {
  leaf: EXPIRED,
  verdict: 'best',
  reason: 'it expired on 2026-05-31T12:00:00.000Z',
};
export const broken = (reason: string): CandidateFacts => ({ leaf: OLD, verdict: 'unusable', reason });

export function source(name: string, changes: Partial<SourceFacts> = {}): SourceFacts {
  const said = (changes.candidates ?? []).length > 0 ? 'found' : 'absent';
  const role = name === 'redis' ? 'copy' : name === 'manager' ? 'authority' : undefined;
  return {
    name,
    ...(role !== undefined && { role }),
    said,
    tookMs: 2,
    candidates: [],
    remarks: [],
    ...changes,
  };
}

export const down = (name: string, changes: Partial<SourceFacts> = {}): SourceFacts =>
  source(name, { said: 'unavailable', scope: 'source', reason: 'it does not answer', ...changes });

export function cached(of: LeafFacts = LEAF, changes: Partial<CachedFacts> = {}): CachedFacts {
  return {
    state: 'fresh',
    ageMs: 1_000,
    leftMs: 50_000,
    tier: 'redis',
    fingerprints: [of.fingerprint],
    notAfterMs: of.notAfterMs,
    ...changes,
  };
}

export function kept(of: LeafFacts = LEAF, changes: Partial<PrimaryFacts['cached']> = {}): PrimaryFacts {
  return { cached: { ...cached(of), leaves: [of], isProvisional: false, ...changes }, isPurged: false };
}

export const absent = { kind: 'absent', ageMs: 60_000, leftMs: 540_000 } as const;
export const failed = { kind: 'error', ageMs: 1_000, leftMs: 4_000, reason: 'redis: it is down' } as const;

export const orders = (changes: Partial<OrderFacts> = {}): OrderFacts => ({
  isEnabled: true,
  allowedBy: '*',
  heldMs: 0,
  activeElsewhereMs: 0,
  ...changes,
});

export function modern(of: LeafFacts | undefined, changes: Partial<ClientFacts> = {}): ClientFacts {
  return {
    client: 'modern',
    tookMs: 3,
    protocol: 'TLSv1.3',
    ...(of !== undefined && { leaf: of, isDefault: of === DEFAULT }),
    ...changes,
  };
}

/** What is not given is as it is where all is well. */
export interface Scene {
  readonly asked?: string;
  readonly isNoName?: boolean;
  readonly sources?: readonly SourceFacts[];
  readonly primary?: PrimaryFacts;
  readonly wildcard?: NameFacts;
  readonly workers?: WhyFacts['workers'];
  readonly clients?: WhyFacts['clients'];
  readonly otherListeners?: WhyFacts['clients'];
  readonly noHandshake?: string;
  readonly settings?: Partial<WhyFacts['settings']>;
}

export function factsOf(scene: Scene): WhyFacts {
  const name = 'www.a.test';
  const { asked = name, isNoName = false, wildcard } = scene;
  const isName = asked !== '' && !isNoName;
  return {
    asked,
    ...(isName && { name }),
    atMs: NOW_MS,
    settings: {
      certCacheDurationMs: 600_000,
      lruCacheDurationMs: 60_000,
      lookupTimeoutMs: 2_000,
      absentGraceMs: DAY_MS,
      wildcards: wildcard !== undefined,
      rejectsUnknownNames: false,
      ...scene.settings,
    },
    workers: scene.workers ?? (isName ? [{ pid: 7, isPrimaryLate: false }] : []),
    ...(isName && {
      facts: {
        name,
        primary: scene.primary ?? { isPurged: false },
        sources: scene.sources ?? [source('redis', { candidates: [best()] })],
      },
    }),
    ...(wildcard !== undefined && { wildcard }),
    clients: scene.clients ?? [modern(LEAF)],
    ...(scene.noHandshake !== undefined && { noHandshake: scene.noHandshake }),
    ...(scene.otherListeners !== undefined && { otherListeners: scene.otherListeners }),
  };
}
