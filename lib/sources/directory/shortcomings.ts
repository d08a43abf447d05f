/**
 * Says what the certificates of a directory lack: a line for each, again only when that has changed.
 */
import { shortList } from '../../domain/short-list.js';
import { shortcomingsOf } from '../../domain/shortcomings.js';
import type { Logger } from '../../log/logger.js';
import { isValidAt, leavesOf, newestOfEach, type DirectoryIndex, type Leaf } from './name-index.js';

/** Lines logged at once. A directory may have ten thousand certificates, all of one authority that has expired. */
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
        names: shortList(certificate.names, MAX_NAMES),
      });
    }
    if (news.length > MAX_LINES) {
      this.#log.notice('more certificates need attention', { more: news.length - MAX_LINES });
    }
  }
}

/** Whether other certificates are served for all of its names: then nobody need hear of this one. */
export function isSuperseded(leaf: Leaf, { names }: DirectoryIndex, nowMs: number): boolean {
  const isOwnValid = isValidAt(leaf, nowMs);
  return leaf.certificate.names.every((name) => {
    const served = newestOfEach(names.get(name)?.leaves ?? [], nowMs);
    return isOwnValid ? !served.includes(leaf) : served.length > 0;
  });
}
