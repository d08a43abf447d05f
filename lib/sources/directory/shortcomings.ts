/**
 * Says what the certificates of a directory lack: a line for each, again only when that has changed.
 */
import { shortcomingsOf } from '../../domain/shortcomings.js';
import type { Logger } from '../../log/logger.js';
import { leavesOf, type DirectoryIndex, type Leaf } from './name-index.js';

/** In one go. A directory may have ten thousand certificates, all of one authority that has lapsed. */
const MAX_LINES = 20;
const MAX_NAMES = 3;

export class DirectoryShortcomings {
  readonly #log: Logger;
  /** By the entries' ids. */
  #said: ReadonlyMap<string, string> = new Map();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** @param nowMs milliseconds since 1970. */
  say(index: DirectoryIndex, nowMs: number): void {
    const found = new Map<string, string>();
    const news: Leaf[] = [];
    for (const leaf of leavesOf(index)) {
      const { certificate, id } = leaf;
      const shortcomings = shortcomingsOf(certificate.standing, certificate, nowMs);
      if (shortcomings.length === 0 || isSuperseded(leaf, index, nowMs)) continue;
      const text = shortcomings.join('; ');
      found.set(id, text);
      if (this.#said.get(id) !== text) news.push(leaf);
    }
    this.#said = found;
    news.sort((a, b) => (a.id < b.id ? -1 : 1));
    for (const { id, paths, certificate } of news.slice(0, MAX_LINES)) {
      this.#log.notice(`a certificate needs attention: ${found.get(id)}`, {
        file: paths.chain[0],
        names: shortList(certificate.names),
      });
    }
    if (news.length > MAX_LINES) {
      this.#log.notice('more certificates need attention', { more: news.length - MAX_LINES });
    }
  }
}

/** Whether others are served for all of its names, as `validGroups` chooses: what is left of an earlier order troubles nobody. */
function isSuperseded(leaf: Leaf, { names }: DirectoryIndex, nowMs: number): boolean {
  const isValid = ({ certificate: { notBeforeMs, notAfterMs } }: Leaf): boolean =>
    notBeforeMs <= nowMs && nowMs < notAfterMs;
  const isOwnValid = isValid(leaf);
  return leaf.certificate.names.every((name) => {
    const valid = (names.get(name)?.leaves ?? []).filter(isValid);
    if (!isOwnValid) return valid.length > 0;
    return valid.find(({ certificate }) => certificate.isRsa === leaf.certificate.isRsa) !== leaf;
  });
}

function shortList(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMES).join(', ');
  return names.length > MAX_NAMES ? `${shown} and ${names.length - MAX_NAMES} more` : shown;
}
