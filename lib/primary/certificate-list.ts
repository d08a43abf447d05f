/**
 * Every certificate that is at hand, for a person: those of the shared cache and those of `--cert-dir`, the soonest to end first.
 *
 * They are sorted by what is known of them already, and only those that are shown are parsed, a few milliseconds at a time: twenty
 * thousand certificates take some seconds (up to 0.8 ms each on Node 20), in which look-ups go on.
 */
import { X509Certificate } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { within } from '../base/within.js';
import type { KeptHalf } from '../caches/pem-cache.js';
import type { CertificateList, ListedCertificate } from '../domain/certificate-list.js';
import { chainState } from '../domain/chain-state.js';
import { leafFacts } from '../domain/leaf-facts.js';
import { splitChain } from '../domain/pem.js';
import type { DirectoryCertificate } from '../sources/directory/source.js';

export interface CertificatesAtHand {
  readonly kept: Iterable<KeptHalf>;
  readonly directory: readonly DirectoryCertificate[];
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

const DEFAULT_LIMIT = 1_000;
/** How long the event loop is held up at a time. */
const TURN_MS = 5;
/** A file system that does not answer is asked once. */
const READ_LIMIT_MS = 1_000;
const SOURCE = 'directory';

/** One that has not been parsed. */
interface Unread {
  readonly notAfterMs: number;
  readonly tiers: Set<string>;
  cachedFor: number;
  readonly file?: string;
  /** Its chain; undefined where it cannot be had. */
  read(): string | Promise<string | undefined>;
}

export async function listCertificates(
  { kept, directory, nowMs }: CertificatesAtHand,
  { withinMs = Infinity, limit = DEFAULT_LIMIT }: { readonly withinMs?: number; readonly limit?: number },
): Promise<CertificateList> {
  const unread = [...cachedOnce(kept), ...onDisk(directory)]
    .filter(({ notAfterMs }) => notAfterMs <= nowMs + withinMs)
    .sort((a, b) => a.notAfterMs - b.notAfterMs);
  const listed = new Map<string, ListedCertificate>();
  const parse = parser(nowMs);
  let [taken, lastEndMs, turnAtMs] = [0, NaN, performance.now()];
  for (const one of unread) {
    const isFull = listed.size >= limit;
    // One that ends with the last one may be the same, found elsewhere.
    if (isFull && one.notAfterMs !== lastEndMs) break;
    lastEndMs = one.notAfterMs;
    const chainPem = await one.read();
    const read = chainPem === undefined ? undefined : parse(chainPem);
    const before = read && listed.get(read.fingerprint);
    if (isFull && read !== undefined && before === undefined) continue;
    taken += 1;
    if (read !== undefined) {
      const file = before?.file ?? one.file;
      listed.set(read.fingerprint, {
        ...read,
        sources: [...new Set([...(before?.sources ?? []), ...one.tiers])],
        cachedFor: (before?.cachedFor ?? 0) + one.cachedFor,
        ...(file !== undefined && { file }),
      });
    }
    if (performance.now() - turnAtMs > TURN_MS) {
      await nextTurn();
      turnAtMs = performance.now();
    }
  }
  return { atMs: nowMs, certificates: [...listed.values()], more: unread.length - taken };
}

/** Many names may have the same certificate. */
function cachedOnce(kept: Iterable<KeptHalf>): Unread[] {
  const unread = new Map<string, Unread>();
  for (const { leafFingerprint, notAfterMs, tier, leafPem, intermediatesPem } of kept) {
    const before = unread.get(leafFingerprint);
    if (before === undefined) {
      const read = (): string => leafPem + intermediatesPem;
      unread.set(leafFingerprint, { notAfterMs, tiers: new Set([tier]), cachedFor: 1, read });
    } else {
      before.tiers.add(tier);
      before.cachedFor += 1;
    }
  }
  return [...unread.values()];
}

function onDisk(directory: readonly DirectoryCertificate[]): Unread[] {
  let isAnswering = true;
  return directory.map((one) => ({
    notAfterMs: one.notAfterMs,
    tiers: new Set([SOURCE]),
    cachedFor: 0,
    file: one.file,
    read: async () => {
      if (!isAnswering) return undefined;
      const late = (): undefined => {
        isAnswering = false;
        return undefined;
      };
      return within<string | undefined>(
        one.read().catch(() => undefined),
        late,
        READ_LIMIT_MS,
      );
    },
  }));
}

/** Parses chains, and judges them at a time. Few intermediates are in all of them, so each is parsed once. */
function parser(
  nowMs: number,
): (chainPem: string) => Pick<ListedCertificate, keyof ReturnType<typeof leafFacts> | 'chain'> | undefined {
  const intermediates = new Map<string, X509Certificate>();
  return (chainPem) => {
    try {
      const [leafPem = '', ...rest] = splitChain(chainPem);
      const leaf = new X509Certificate(leafPem);
      const above = rest.map((pem) => {
        const known = intermediates.get(pem) ?? new X509Certificate(pem);
        intermediates.set(pem, known);
        return known;
      });
      return { ...leafFacts(leaf), chain: chainState(leaf, above, nowMs) };
    } catch {
      // It was changed on disk since, for the worse.
      return undefined;
    }
  };
}
