/**
 * Tells the channel of look-ups of one that has ended.
 */
import { channels, sinceEpoch } from '../channels/channels.js';
import type { SourceAnswer } from '../channels/messages.js';
import type { ServerName } from '../domain/server-name.js';
import type { Outcome } from './conclude.js';
import type { AskedSource, Gathered } from './gather.js';

export interface EndedLookUp {
  readonly name: ServerName;
  readonly handshake: string | undefined;
  /** Milliseconds of `performance.now`. */
  readonly startedAtMs: number;
  readonly outcome: Outcome;
  readonly gathered: Gathered;
}

export function publishLookUp({ name, handshake, startedAtMs, outcome, gathered }: EndedLookUp): void {
  const nowMs = performance.now();
  channels.lookUp.publish({
    name,
    ...(handshake !== undefined && { handshake }),
    startedAtMs: sinceEpoch(startedAtMs),
    tookMs: nowMs - startedAtMs,
    outcome: outcome.kind,
    ...(outcome.kind === 'found' && {
      tier: outcome.tier,
      fingerprints: outcome.certificate.pairs.map(({ leafFingerprint }) => leafFingerprint),
    }),
    ...('reason' in outcome && { reason: outcome.reason }),
    answers: gathered.asked.map((asked) => answerOf(asked, nowMs)),
  });
}

function answerOf({ source, startedAtMs, endedAtMs, outcome }: AskedSource, nowMs: number): SourceAnswer {
  return {
    source,
    startedAtMs: sinceEpoch(startedAtMs),
    tookMs: (endedAtMs ?? nowMs) - startedAtMs,
    outcome: outcome ?? 'late',
  };
}
