/**
 * Backends with those first that are to be looked at: left out, then failing; of these those that most workers have trouble with, then
 * the longest in trouble. The others stay as they are. PURE.
 */
import type { BackendStatus } from './backend-status.js';

const RANKS: Readonly<Record<BackendStatus['state'], number>> = { 'left out': 0, failing: 1, up: 2 };

export function worstFirst(backends: readonly BackendStatus[]): BackendStatus[] {
  return [...backends].sort(
    (one, other) =>
      RANKS[one.state] - RANKS[other.state] ||
      (other.trouble?.workers ?? 0) - (one.trouble?.workers ?? 0) ||
      (other.trouble?.forMs ?? 0) - (one.trouble?.forMs ?? 0),
  );
}
