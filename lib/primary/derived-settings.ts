/**
 * The parts of the settings that the resolver and the workers need. PURE.
 */
import type { WorkerSettings } from '../bus/messages.js';
import type { Settings } from '../config/settings.js';
import type { CertificatePair } from '../domain/certificate.js';
import type { ResolverSettings } from '../resolver.js';

export function resolverSettings(settings: Settings): ResolverSettings {
  return {
    certCacheDurationMs: settings.certCacheDurationMs,
    errorCacheDurationMs: settings.errorCacheDurationMs,
    lookupTimeoutMs: settings.lookupTimeoutMs,
    autocertTimeoutMs: settings.autocertTimeoutMs,
    wildcards: settings.wildcards,
  };
}

/** The new settings, but for those that a reload cannot change. */
export function withoutRestart(before: Settings, after: Settings): Settings {
  const { listen, stateDir, pidFile } = before;
  const kept: { -readonly [Key in keyof Settings]: Settings[Key] } = { ...after, listen, stateDir };
  delete kept.pidFile;
  return pidFile === undefined ? kept : { ...kept, pidFile };
}

/** @param ticketKeys 48 bytes, base64. */
export function workerSettings(
  settings: Settings,
  defaultPairs: readonly CertificatePair[],
  ticketKeys: string,
): WorkerSettings {
  return {
    ...(settings.backend === undefined ? {} : { backend: settings.backend }),
    defaultPairs,
    certCacheDurationMs: settings.certCacheDurationMs,
    lruCacheDurationMs: settings.lruCacheDurationMs,
    lruMaxItems: settings.lruMaxItems,
    errorCacheDurationMs: settings.errorCacheDurationMs,
    negativeMaxItems: settings.negativeMaxItems,
    admin: settings.admin,
    log: settings.log,
    handshakeTimeoutMs: settings.handshakeTimeoutMs,
    lookupTimeoutMs: settings.lookupTimeoutMs,
    autocertTimeoutMs: settings.autocertTimeoutMs,
    drainTimeoutMs: settings.drainTimeoutMs,
    ticketKeys: ticketKeys,
  };
}
