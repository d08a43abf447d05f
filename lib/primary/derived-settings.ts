/**
 * The parts of the settings that the resolver and the workers need. PURE.
 */
import type { WorkerSettings } from '../bus/messages.js';
import { addressText, type ChallengeSettings, type Settings } from '../config/settings.js';
import type { CertificatePair } from '../domain/certificate.js';
import type { ResolverSettings } from '../resolver/resolver.js';

export function resolverSettings(settings: Settings): ResolverSettings {
  return {
    certCacheDurationMs: settings.certCacheDurationMs,
    errorCacheDurationMs: settings.errorCacheDurationMs,
    absentGraceMs: settings.absentGraceMs,
    lookupTimeoutMs: settings.lookupTimeoutMs,
    refreshTimeoutMs: settings.refreshTimeoutMs,
    autocertTimeoutMs: settings.autocertTimeoutMs,
    wildcards: settings.wildcards,
  };
}

/**
 * The new settings, but for those that a reload cannot change. The default certificates of a listener are taken over where
 * its address is the same.
 */
export function withoutRestart(before: Settings, after: Settings): Settings {
  const { stateDir, pidFile, httpListen } = before;
  // Addresses of port 0 are alike: the first one is the first one's.
  const unmatched = [...after.listen];
  const listen = before.listen.map((old) => {
    const index = unmatched.findIndex((address) => addressText(address) === addressText(old));
    return index === -1 ? old : (unmatched.splice(index, 1)[0] ?? old);
  });
  const kept: { -readonly [Key in keyof Settings]: Settings[Key] } = {
    ...after,
    listen,
    httpListen,
    stateDir,
  };
  delete kept.pidFile;
  return pidFile === undefined ? kept : { ...kept, pidFile };
}

/** @param ticketKeys 48 bytes, base64. */
export function workerSettings(
  settings: Settings,
  defaultPairs: readonly CertificatePair[],
  ticketKeys: string,
): WorkerSettings {
  const { sendProxyProtocol, accessLog } = settings;
  return {
    routes: settings.routes,
    ...(sendProxyProtocol !== undefined && { sendProxyProtocol }),
    acceptProxyProtocol: settings.acceptProxyProtocol,
    unknownName: settings.unknownName,
    headers: settings.headers,
    limits: settings.limits,
    ...(accessLog !== undefined && { accessLog }),
    challenges: challengesOf(settings),
    listenerPairs: settings.listen.map((listener) => listener.defaultPairs ?? null),
    defaultPairs,
    choosesByAddress: settings.sources.includes('directory'),
    certCacheDurationMs: settings.certCacheDurationMs,
    lruCacheDurationMs: settings.lruCacheDurationMs,
    lruMaxItems: settings.lruMaxItems,
    errorCacheDurationMs: settings.errorCacheDurationMs,
    negativeMaxItems: settings.negativeMaxItems,
    admin: settings.admin,
    log: settings.log,
    handshakeTimeoutMs: settings.handshakeTimeoutMs,
    lookupTimeoutMs: settings.lookupTimeoutMs,
    refreshTimeoutMs: settings.refreshTimeoutMs,
    autocertTimeoutMs: settings.autocertTimeoutMs,
    drainTimeoutMs: settings.drainTimeoutMs,
    ticketKeys: ticketKeys,
  };
}

/** Where none was named, challenges go to the root of the manager. */
function challengesOf({ challenges, manager }: Settings): ChallengeSettings {
  if (challenges.servers.length > 0 || manager === undefined) return challenges;
  return { ...challenges, servers: [new URL(manager.root).origin] };
}
