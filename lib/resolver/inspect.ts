/**
 * Asks every source for a name, all at once and outside of the order of look-ups, and judges what they have as a look-up would: which
 * certificate would be served of all that there is, and why the others would not.
 */
import type { Clock } from '../base/clock.js';
import { durationText } from '../base/duration-text.js';
import type { StartTimer } from '../base/timer.js';
import type { CertificatePair } from '../domain/certificate.js';
import { describeError } from '../domain/errors.js';
import type { CandidateFacts, SourceFacts, SourceInspection } from '../domain/inspection.js';
import { leafFactsOf } from '../domain/leaf-facts.js';
import type { Lookup } from '../domain/lookup.js';
import { isAddress, type ServerName } from '../domain/server-name.js';
import type { CertificateSource } from '../sources/source.js';
import { Candidates, type Remark } from './candidates.js';
import type { ServableCertificates } from './servable.js';

export interface AskAllOptions {
  readonly clock: Clock;
  readonly servable: ServableCertificates;
  readonly startTimer: StartTimer;
  /** How long a source may take, milliseconds. */
  readonly limitMs: number;
}

interface Asked {
  readonly source: CertificateSource;
  readonly lookup: Lookup;
  readonly inspection: SourceInspection;
  readonly tookMs: number;
}

/** A pair as it was judged. */
interface Judged {
  readonly pair: CertificatePair;
  readonly remark: Remark | undefined;
}

/** Never rejects. */
export async function askAll(
  name: ServerName,
  sources: readonly CertificateSource[],
  { clock, servable, startTimer, limitMs }: AskAllOptions,
): Promise<SourceFacts[]> {
  const asked = await Promise.all(
    sources
      .filter(({ hasAddresses }) => hasAddresses === true || !isAddress(name))
      .map((source) => ask(name, source, { clock, startTimer, limitMs })),
  );
  const candidates = new Candidates(name, clock.date(), servable);
  const judged = asked.map(({ source, lookup }) => judge(source.name, lookup, candidates));
  const best = new Set(candidates.best()?.leaves);
  return asked.map(({ source, lookup, inspection, tookMs }, index) => ({
    ...inspection,
    name: source.name,
    ...(source.role !== undefined && { role: source.role }),
    said: lookup.kind,
    ...('reason' in lookup && { reason: lookup.reason }),
    ...('scope' in lookup && { scope: lookup.scope }),
    tookMs,
    candidates: (judged[index] ?? []).map((one) => candidateFacts(one, best)),
  }));
}

async function ask(
  name: ServerName,
  source: CertificateSource,
  { clock, startTimer, limitMs }: Pick<AskAllOptions, 'clock' | 'startTimer' | 'limitMs'>,
): Promise<Asked> {
  const giveUp = new AbortController();
  const startedAtMs = clock.now();
  let late = (): void => undefined;
  // A source that does not end with its signal is not waited for either.
  const overdue = new Promise<void>((resolve) => (late = resolve));
  const cancel = startTimer(() => {
    // First: what it says then tells less.
    late();
    giveUp.abort();
  }, limitMs);
  const { signal } = giveUp;
  const tookMs = (): number => clock.now() - startedAtMs;
  const inTime = <T>(work: Promise<T>, instead: T): Promise<T> =>
    Promise.race([work, overdue.then(() => instead)]);
  try {
    const [said, inspection] = await Promise.all([
      inTime(lookUp(name, source, signal), lateAnswer(limitMs)).then((lookup) => ({
        lookup,
        tookMs: tookMs(),
      })),
      inTime(source.inspect?.(name, { signal }) ?? Promise.resolve(NOTHING), NOTHING),
    ]);
    return { source, inspection, ...said };
  } finally {
    cancel();
  }
}

const NOTHING: SourceInspection = { remarks: [] };

function lateAnswer(limitMs: number): Lookup {
  const reason = `it has not answered within ${durationText(limitMs)}`;
  return { kind: 'unavailable', reason, scope: 'source' };
}

/** Holds an embedder's source to the contract: one that throws is unavailable. */
async function lookUp(name: ServerName, source: CertificateSource, signal: AbortSignal): Promise<Lookup> {
  try {
    return await source.lookup(name, { signal, mayOrder: false, isInspection: true });
  } catch (thrown) {
    return { kind: 'unavailable', reason: describeError(thrown), scope: 'source' };
  }
}

function judge(source: string, lookup: Lookup, candidates: Candidates): Judged[] {
  if (lookup.kind !== 'found') return [];
  return lookup.candidates.flat().map((pair) => ({ pair, remark: candidates.add(pair, source) }));
}

function candidateFacts({ pair, remark }: Judged, best: ReadonlySet<string>): CandidateFacts {
  const leaf = leafFactsOf(pair.chainPem);
  const isBest = remark?.kind !== 'unusable' && leaf !== undefined && best.has(leaf.fingerprint);
  return {
    ...(leaf !== undefined && { leaf }),
    verdict: isBest ? 'best' : (remark?.kind ?? 'good'),
    ...(remark !== undefined && { reason: remark.reason }),
  };
}
