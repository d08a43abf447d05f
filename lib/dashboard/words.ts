/**
 * The program's words as the page says them: tiers, reasons, states. PURE.
 */
import type { BackendStatus } from '../domain/backend-status.js';
import type { DefaultReason } from '../domain/default-reason.js';
import { TIER_CACHE, TIER_DEFAULT, TIER_LRU } from '../domain/lookup.js';
import type { SourceStatus } from '../domain/status-report.js';

/** How well something is. Each has a shape beside its colour. */
export type Level = 'good' | 'busy' | 'warn' | 'bad';

/** Tiers in the order in which they are asked; an embedder's own source is `other`. */
export const TIERS = [
  TIER_LRU,
  TIER_CACHE,
  'directory',
  'redis',
  'manager',
  'ca',
  'other',
  TIER_DEFAULT,
] as const;

export const TIER_WORDS: Readonly<Record<string, string>> = {
  lru: 'LRU',
  cache: 'PEM cache',
  directory: 'Directory',
  redis: 'Redis',
  manager: 'Manager',
  ca: 'Internal CA',
  other: 'Other source',
  default: 'Default',
};

export function tierWord(tier: string): string {
  return Object.hasOwn(TIER_WORDS, tier) ? (TIER_WORDS[tier] ?? tier) : tier;
}

/** As the metrics have it: a source that they do not know is `other`. */
export function sourceLabel(name: string): string {
  return (TIERS as readonly string[]).includes(name) ? name : 'other';
}

export const SOURCE_LEVELS: Readonly<Record<SourceStatus['state'], Level>> = {
  up: 'good',
  failing: 'warn',
  skipped: 'bad',
};

export const BACKEND_LEVELS: Readonly<Record<BackendStatus['state'], Level>> = {
  up: 'good',
  failing: 'warn',
  'left out': 'bad',
};

export const REASON_WORDS: Readonly<Record<DefaultReason, string>> = {
  'no-server-name': 'the client sent no server name',
  absent: 'no source has one',
  'absent-cached': 'no source has one (remembered)',
  unavailable: 'no source could tell',
  'unavailable-cached': 'no source could tell (remembered)',
  'sources-late': 'the sources were too slow',
  pending: 'a source will know later',
  ordering: 'it is being ordered',
  'primary-late': 'the primary was too slow',
  'refused-by-openssl': 'OpenSSL refuses the one there is',
};

/** Defaults that are somebody's trouble, and not what clients ask for. */
export const TROUBLED_REASONS: readonly DefaultReason[] = [
  'unavailable',
  'unavailable-cached',
  'sources-late',
  'primary-late',
  'refused-by-openssl',
];
