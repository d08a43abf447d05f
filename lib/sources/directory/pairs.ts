/**
 * Pairs with their private keys, read when they are first handed over. A bounded number stays in memory, so that one that is
 * seen half written can be served on as it was.
 */
import { LRUCache } from 'lru-cache';
import type { CertificatePair } from '../../domain/certificate.js';
import { describeError } from '../../domain/errors.js';
import { isOfVersion, pairOf } from './certificate.js';
import { readChain, type Entry } from './entry.js';
import type { DirectoryFiles } from './files.js';

/** A pair that can be served, or a clause that says why there is none. */
export type Loaded = CertificatePair | { readonly reason: string };

interface Kept {
  readonly version: string;
  readonly pair: CertificatePair;
}

/** UTF-16 units, which are octets here: some four thousand chains of two certificates. */
const MAX_KEPT_LENGTH = 16 * 1_048_576;

export class DirectoryPairs {
  readonly #files: DirectoryFiles;
  readonly #onTrouble: (entry: Entry, reason: string) => void;
  readonly #kept = new LRUCache<string, Kept>({
    maxSize: MAX_KEPT_LENGTH,
    sizeCalculation: ({ pair: { chainPem, keyPem } }) => chainPem.length + keyPem.length,
  });
  readonly #loading = new Map<string, Promise<Loaded>>();
  /** What was found wrong with entries as they are. */
  readonly #bad = new WeakMap<Entry, { readonly reason: string; readonly mayPass: boolean }>();

  /** @param onTrouble told of each pair that turns out to be bad, once while its files stay as they are. */
  constructor(files: DirectoryFiles, onTrouble: (entry: Entry, reason: string) => void) {
    this.#files = files;
    this.#onTrouble = onTrouble;
  }

  /** The pair of this version, where it is in memory. */
  get(id: string, version: string): CertificatePair | undefined {
    const kept = this.#kept.get(id);
    return kept?.version === version ? kept.pair : undefined;
  }

  keep(id: string, version: string, pair: CertificatePair): void {
    this.#kept.set(id, { version, pair });
  }

  forget(id: string): void {
    this.#kept.delete(id);
  }

  clear(): void {
    this.#kept.clear();
  }

  /** The pair of an entry that has a certificate. Never rejects. */
  async load(entry: Entry): Promise<Loaded> {
    const { id, version, trouble, earlier } = entry;
    const ready = earlier ?? this.get(id, version);
    if (ready !== undefined) return ready;
    if (trouble !== undefined) return { reason: trouble.reason };
    const bad = this.#bad.get(entry);
    if (bad?.mayPass === false) return this.#instead(entry, bad.reason);
    const key = `${id} ${version}`;
    const loading = this.#loading.get(key) ?? this.#read(entry).finally(() => this.#loading.delete(key));
    this.#loading.set(key, loading);
    return loading;
  }

  async #read(entry: Entry): Promise<Loaded> {
    const { id, paths, version } = entry;
    try {
      const chainPem = await readChain(this.#files, paths);
      const isBoth = paths.key === paths.chain[0];
      const keyText = isBoth ? chainPem : await this.#files.readText(paths.key);
      const pair = pairOf(chainPem, keyText);
      if (typeof pair === 'string') return this.#worse(entry, `${paths.key}: ${pair}`, false);
      // Files that have changed since the reading are good to serve, and are kept when they have been read.
      if (isOfVersion(version, chainPem)) this.keep(id, version, pair);
      return pair;
    } catch (error) {
      return this.#worse(entry, describeError(error), true);
    }
  }

  #worse(entry: Entry, reason: string, mayPass: boolean): Loaded {
    const isNews = this.#bad.get(entry)?.reason !== reason;
    this.#bad.set(entry, { reason, mayPass });
    if (isNews) this.#onTrouble(entry, reason);
    return this.#instead(entry, reason);
  }

  /** Another pair of this entry, which was good before, goes on being served. */
  #instead({ id }: Entry, reason: string): Loaded {
    return this.#kept.get(id)?.pair ?? { reason };
  }
}
