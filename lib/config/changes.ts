/**
 * What a reload changed, by the names of flags: for the notice line, and to say what a reload cannot change. PURE.
 * Values are compared and never returned, so no secret can get out this way.
 */
import { isDeepStrictEqual } from 'node:util';
import type { CertificatePair } from '../domain/certificate.js';
import { flag, FLAG_NAMES, type FlagName } from './flags.js';
import { addressText } from '../domain/address.js';
import { plainValue, type PlainFlag } from './plain-settings.js';
import type { Settings } from './settings.js';

/** What of the settings each flag sets that is not plain. `config` sets nothing itself. */
const SETS: Readonly<Record<Exclude<FlagName, 'config' | PlainFlag>, (settings: Settings) => unknown>> = {
  listen: (s) => s.listen.map(addressText),
  'http-listen': (s) => s.httpListen.map(addressText),
  'challenge-server': (s) => s.challenges.servers,
  'accept-proxy-protocol': (s) => s.acceptProxyProtocol,
  'default-cert': (s) => defaultPairs(s, ({ chainPem }) => chainPem),
  'default-key': (s) => defaultPairs(s, ({ keyPem }) => keyPem),
  backend: (s) => s.routes,
  'send-proxy-protocol': (s) => s.sendProxyProtocol,
  'unknown-name': (s) => s.unknownName,
  'http2-engine': (s) => s.http2Engine,
  'trusted-proxies': (s) => s.headers.trustedProxies,
  via: (s) => s.headers.via,
  'forward-tls-info': (s) => s.headers.forwardTlsInfo,
  hsts: (s) => s.headers.hsts,
  'access-log': (s) => s.accessLog && [s.accessLog.file],
  'access-log-format': (s) => s.accessLog?.format,
  'access-log-field': (s) => s.accessLog?.fields,
  'redis-strategy': (s) => s.redis?.strategy,
  'redis-url': (s) => s.redis?.url,
  'fallback-server': (s) => s.manager?.root,
  'fallback-ca': (s) => s.manager?.caPem ?? s.challenges.caPem,
  'fallback-credentials': (s) => s.manager?.credentials,
  'enable-autocert': (s) => s.manager?.autocert !== undefined,
  'autocert-allow': (s) => s.manager?.autocert?.allow,
  'autocert-ask': (s) => s.manager?.autocert?.askUrl,
  'autocert-holdoff': (s) => s.manager?.autocert?.holdoffMs,
  'autocert-concurrency': (s) => s.manager?.autocert?.concurrency,
  'cert-preferences': (s) => s.manager?.preferences,
  'cert-dir': (s) => s.certDir,
  'internal-ca': (s) => s.internalCa?.dir,
  'internal-ca-allow': (s) => s.internalCa?.allow,
  sources: (s) => s.sources,
  'miss-rate': (s) => s.manager?.missRate,
  workers: (s) => s.workers,
  'admin-prefix': (s) => s.admin.prefix,
  'admin-user-file': (s) => s.admin.htpasswd,
  'admin-host': (s) => s.admin.hosts,
  'admin-listen': (s) => s.admin.listen.map(addressText),
  'state-dir': (s) => s.stateDir,
  'control-socket': (s) => s.controlSocket,
  'pid-file': (s) => s.pidFile,
  'log-level': (s) => s.log.level,
  'log-file': (s) => s.log.file,
  'log-format': (s) => s.log.format,
};

/** Of the default certificates, those of single listeners included. */
function defaultPairs(settings: Settings, pick: (pair: CertificatePair) => string): unknown {
  const ofListeners = settings.listen.flatMap(({ defaultPairs: pairs, ...address }) =>
    pairs === undefined ? [] : [[addressText(address), pairs.map(pick)]],
  );
  return [settings.defaultPairs?.map(pick), ofListeners];
}

/** What switches a source, autocert or the access log on and off. Their other flags count as changed only where they are on both times. */
const SWITCHES: readonly FlagName[] = [
  'access-log',
  'redis-strategy',
  'fallback-server',
  'enable-autocert',
  'internal-ca',
  'sources',
];

/**
 * Compares two loads.
 *
 * @returns the flags (without dashes) whose settings differ, or the files that they name; and those of them that take
 *   effect at the next restart only.
 */
export function describeChanges(
  before: Settings,
  after: Settings,
): { changed: FlagName[]; needRestart: FlagName[] } {
  const filled = [fillIn(before, after), fillIn(after, before)] as const;
  const changed = FLAG_NAMES.filter((name) => {
    const [left, right] = SWITCHES.includes(name) ? [before, after] : filled;
    return !isDeepStrictEqual(valueOf(left, name), valueOf(right, name));
  });
  return { changed, needRestart: changed.filter((name) => flag(name).restart === true) };
}

/** What of the settings a flag sets. */
function valueOf(settings: Settings, name: FlagName): unknown {
  return name in SETS ? SETS[name as keyof typeof SETS](settings) : plainValue(settings, flag(name));
}

/** The settings, with what is off in them taken from the others. */
function fillIn(settings: Settings, others: Settings): Settings {
  const redis = settings.redis ?? others.redis;
  const manager = settings.manager ?? others.manager;
  const autocert = manager?.autocert ?? others.manager?.autocert;
  const internalCa = settings.internalCa ?? others.internalCa;
  const accessLog = settings.accessLog ?? others.accessLog;
  return {
    ...settings,
    ...(redis && { redis }),
    ...(manager && { manager: { ...manager, ...(autocert && { autocert }) } }),
    ...(internalCa && { internalCa }),
    ...(accessLog && { accessLog }),
  };
}
