/**
 * The parts of the settings that the resolver and the workers need. PURE.
 */
import { sharedSettings, type WorkerSettings } from '../config/worker-settings.js';
import { addressText } from '../domain/address.js';
import type { ChallengeSettings, Settings } from '../config/settings.js';
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
  const { stateDir, pidFile, controlSocket, httpListen } = before;
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
    admin: { ...after.admin, listen: before.admin.listen },
    stateDir,
  };
  delete kept.pidFile;
  delete kept.controlSocket;
  return {
    ...kept,
    ...(pidFile !== undefined && { pidFile }),
    ...(controlSocket !== undefined && { controlSocket }),
  };
}

/** @param ticketKeys 48 bytes each, base64, the one to seal with first. */
export function workerSettings(
  settings: Settings,
  defaultPairs: readonly CertificatePair[],
  ticketKeys: readonly string[],
): WorkerSettings {
  return {
    ...sharedSettings(settings),
    challenges: challengesOf(settings),
    listenerPairs: settings.listen.map((listener) => listener.defaultPairs ?? null),
    defaultPairs,
    choosesByAddress: settings.sources.includes('directory'),
    ticketKeys,
  };
}

/** Where none was named, challenges go to the root of the manager. */
function challengesOf({ challenges, manager }: Settings): ChallengeSettings {
  if (challenges.servers.length > 0 || manager === undefined) return challenges;
  return { ...challenges, servers: [manager.server] };
}
