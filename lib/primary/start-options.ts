/**
 * What an embedder hands to `start`, as it is at run time: without types, or from a file, it may be anything. Whatever no flag and no source
 * can be is refused in one sentence, before it is taken for a text (`undefined` for the name of a file, say).
 */
import { isRecord } from '../base/is-record.js';
import { didYouMean } from '../base/nearest.js';
import { findFlag, FLAG_NAMES } from '../config/flags.js';
import { usageError } from '../domain/errors.js';
import { TIER_CACHE, TIER_DEFAULT, TIER_LRU } from '../domain/lookup.js';
import type { CertificateSource } from '../sources/source.js';

export interface GivenStart {
  readonly flags: Readonly<Record<string, readonly string[]>>;
  readonly sources: readonly CertificateSource[];
}

const METHODS = ['lookup', 'check', 'close'] as const satisfies readonly (keyof CertificateSource)[];
/** What else a certificate may come from, in the log, in headers and in numbers. */
const TIERS: readonly unknown[] = [TIER_LRU, TIER_CACHE, TIER_DEFAULT];

/** @throws ProxyError ERR_USAGE */
export function readStartOptions(options: unknown): GivenStart {
  if (!isRecord(options)) throw usageError('start takes an object with settings and sources');
  const { settings = {}, sources = [] } = options;
  if (!isRecord(settings)) throw usageError('settings must be an object of flags by their names');
  if (!isList(sources)) throw usageError('sources must be a list');
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  return {
    flags: Object.fromEntries(given.map(([name, value]) => [name, textsOf(name, value)])),
    sources: sources.map((source, at) => sourceOf(source, at, sources.slice(0, at))),
  };
}

/** Also of what types say is a list. */
export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function textsOf(name: string, value: unknown): string[] {
  if (findFlag(name) === undefined) {
    throw usageError(`unknown setting ${JSON.stringify(name)}${didYouMean(name, FLAG_NAMES)}`);
  }
  return (isList(value) ? value : [value]).map((one) => {
    if (isPlain(one)) return String(one);
    const what = typeof one === 'object' && one !== null ? 'an object' : String(one);
    throw usageError(
      `the setting ${name} must be a text, a number, true or false, or a list of those, not ${isList(value) ? `a list with ${what} in it` : what}`,
    );
  });
}

function isPlain(value: unknown): value is string | number | bigint | boolean {
  return ['string', 'number', 'bigint', 'boolean'].includes(typeof value);
}

function sourceOf(source: unknown, at: number, earlier: readonly unknown[]): CertificateSource {
  if (!isRecord(source) || typeof source['name'] !== 'string' || source['name'] === '') {
    throw usageError(`sources[${at}] is no source: it is no object with a name`);
  }
  const { name } = source;
  const label = `sources[${at}] (${JSON.stringify(name)})`;
  const missing = METHODS.find((method) => typeof source[method] !== 'function');
  if (missing !== undefined) throw usageError(`${label} is no source: it has no method ${missing}`);
  if (TIERS.includes(name)) throw usageError(`${label} has the name of a tier that is no source`);
  if (earlier.some((one) => isRecord(one) && one['name'] === name)) {
    throw usageError(`${label} has the name of another source`);
  }
  return source as object as CertificateSource;
}
