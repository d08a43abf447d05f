/**
 * Loading: from the command line, the environment, the configuration file and the files they name to `Settings`.
 *
 * Everything is checked before anything is used, so that a reload with one mistake in it changes nothing. PURE but for the
 * injected reader of files: the same input gives the same settings. Every mistake is one sentence (ERR_USAGE) that begins
 * with the flag, the variable, or the file and line it is in.
 */
import { resolve } from 'node:path';
import { addressText, isLoopback, type Address } from '../domain/address.js';
import { effectiveValues, type EffectiveValue } from './effective.js';
import { CERT_PREFERENCES, SOURCE_NAMES } from './flags.js';
import { parsePassed } from './passed-sockets.js';
import { gather, type GivenFlags, type SettingsInput } from './precedence.js';
import { readListeners, refuseOverlaps } from './listeners.js';
import { parseListen } from './listen-address.js';
import { parseLogLevel } from './log-level.js';
import { readPlain } from './plain-settings.js';
import {
  readAllowed,
  readAuthorities,
  readCredentials,
  readDefaultPairs,
  readHtpasswd,
} from './named-files.js';
import {
  parseAskUrl,
  parseChoice,
  parseHost,
  parseManagerUrl,
  parseOrigin,
  parsePattern,
  parsePrefix,
  parseRedisUrl,
  parseWorkers,
} from './parse.js';
import type {
  AutocertSettings,
  ChallengeSettings,
  InternalCaSettings,
  ManagerSettings,
  RedisSettings,
  Settings,
} from './settings.js';
import { trafficSettings } from './traffic.js';

export type { SettingsInput } from './precedence.js';

export interface LoadInput extends SettingsInput {
  /** The default of `--workers`, and what its limit is computed from. */
  readonly cpuCount: number;
  /** Whether the machine has the address `::1`: see `parseListen`. @default false */
  readonly hasIpv6?: boolean;
  /** The time to judge the default certificate by. */
  readonly nowMs: number;
  /** Throws when the text is no htpasswd file; its message becomes part of the error. Default: anything is one. */
  readonly checkHtpasswd?: (text: string) => void;
}

export interface Loaded {
  readonly settings: Settings;
  /** One sentence each, for the log: a certificate that has expired, a flag that has no effect. */
  readonly warnings: readonly string[];
  /** Of every flag what counts, to be shown. */
  readonly values: readonly EffectiveValue[];
}

/**
 * Loads the settings.
 *
 * @throws ProxyError ERR_USAGE: in one sentence, the first thing that is wrong.
 */
export function loadSettings(input: LoadInput): Loaded {
  const { given, warnings } = gather(input);
  const stateDir = given.path('state-dir') ?? given.fail('state-dir', 'needs a value');
  const redis = redisSettings(given, warnings);
  const caPem = readAuthorities(given);
  const manager = managerSettings(given, caPem, input.cwd, warnings);
  const challenges = challengeSettings(given, caPem, warnings);
  const certDir = given.path('cert-dir');
  const others = [redis, manager, certDir].some((source) => source !== undefined);
  const internalCa = internalCaSettings(given, resolve(stateDir, 'ca'), others);
  const sources = sourceOrder(given, warnings, {
    directory: certDir !== undefined,
    redis: redis !== undefined,
    manager: manager !== undefined,
    ca: internalCa !== undefined,
  });
  const defaults = readDefaultPairs(given, input.nowMs);
  const listeners = readListeners(given, {
    nowMs: input.nowMs,
    hasIpv6: input.hasIpv6 ?? false,
    parsePassed: (text) => parsePassed(text, input.env, process.pid),
  });
  const traffic = trafficSettings(given, input.cwd, warnings);
  const controlSocket = given.path('control-socket');
  const pidFile = given.path('pid-file');
  const logFile = given.path('log-file');
  const htpasswd = readHtpasswd(given, input.checkHtpasswd ?? (() => undefined));
  const settings: Settings = {
    ...readPlain('sets', (name) => given.plain(name)),
    ...listeners.settings,
    workers: given.one('workers', (text) => parseWorkers(text, input.cpuCount)) ?? input.cpuCount,
    ...traffic,
    ...(defaults.pairs && { defaultPairs: defaults.pairs }),
    ...(redis && { redis }),
    ...(manager && { manager }),
    challenges,
    ...(certDir !== undefined && { certDir }),
    ...(internalCa && { internalCa }),
    sources,
    admin: {
      prefix: given.one('admin-prefix', parsePrefix) ?? given.fail('admin-prefix', 'needs a value'),
      ...(htpasswd !== undefined && { htpasswd }),
      hosts: given.list('admin-host', parseHost),
      listen: adminAddresses(given, input.hasIpv6 ?? false, htpasswd !== undefined),
    },
    stateDir,
    ...(controlSocket !== undefined && { controlSocket }),
    ...(pidFile !== undefined && { pidFile }),
    log: {
      level: given.one('log-level', parseLogLevel) ?? given.fail('log-level', 'needs a value'),
      format: given.choice('log-format', ['text', 'json'] as const),
      ...(logFile !== undefined && { file: logFile }),
    },
  };
  return {
    settings,
    warnings: [...warnings, ...defaults.warnings, ...listeners.warnings],
    values: effectiveValues(given),
  };
}

/** Anybody on the machine may use a loopback address; beyond that there must be passwords. */
function adminAddresses(given: GivenFlags, hasIpv6: boolean, hasPasswords: boolean): readonly Address[] {
  const addresses = given.list('admin-listen', (text) => parseListen(text, hasIpv6)).flat();
  refuseOverlaps(given, [['admin-listen', addresses]]);
  const open = addresses.find((address) => !isLoopback(address));
  if (open !== undefined && !hasPasswords) {
    given.fail(
      'admin-listen',
      `is open to other machines on ${addressText(open)}: it needs --admin-user-file`,
    );
  }
  return addresses;
}

function redisSettings(given: GivenFlags, warnings: string[]): RedisSettings | undefined {
  const strategy = given.choice('redis-strategy', ['1', '2', 'none'] as const);
  const url = given.one('redis-url', parseRedisUrl) ?? given.fail('redis-url', 'needs a value');
  if (strategy !== 'none') return { strategy: strategy === '1' ? 1 : 2, url };
  if (given.has('redis-url')) {
    warnings.push(`${given.label('redis-url')} has no effect without --redis-strategy 1 or 2`);
  }
  return undefined;
}

function challengeSettings(
  given: GivenFlags,
  caPem: string | undefined,
  warnings: string[],
): ChallengeSettings {
  const named = given.list('challenge-server', parseOrigin);
  const servers = [...new Map(named.map((server) => [server.origin, server])).values()];
  if (servers.length > 0 && !given.has('http-listen')) {
    warnings.push(`${given.label('challenge-server')} has no effect without --http-listen`);
  }
  if (given.has('fallback-ca') && !given.has('fallback-server') && servers.length === 0) {
    warnings.push(
      `${given.label('fallback-ca')} has no effect without --fallback-server or --challenge-server`,
    );
  }
  return { servers, ...(caPem !== undefined && { caPem }) };
}

function managerSettings(
  given: GivenFlags,
  caPem: string | undefined,
  cwd: string,
  warnings: string[],
): ManagerSettings | undefined {
  const url = given.one('fallback-server', parseManagerUrl);
  const fromFile = readCredentials(given);
  const preferences = given.list('cert-preferences', (text) => parseChoice(text, CERT_PREFERENCES));
  // Read even when autocert is off: a mistake in its flags is better found now than when it is switched on.
  const autocert = autocertSettings(given, cwd, warnings);
  const missRate = given.number('miss-rate');
  if (url === undefined) {
    if (given.boolean('enable-autocert')) given.fail('enable-autocert', 'needs --fallback-server');
    if (given.has('fallback-credentials')) {
      warnings.push(`${given.label('fallback-credentials')} has no effect without --fallback-server`);
    }
    return undefined;
  }
  if (fromFile !== undefined && url.credentials !== undefined) {
    given.fail('fallback-credentials', 'and the URL of --fallback-server both hold credentials: choose one');
  }
  if (preferences.length === 0) given.fail('cert-preferences', 'needs a value');
  if (given.boolean('enable-autocert') && autocert.askUrl === undefined && autocert.allow.includes('*')) {
    warnings.push(
      `${given.label('enable-autocert')} orders a certificate for every name that anybody asks for: bound it with --autocert-allow or --autocert-ask`,
    );
  }
  const credentials = fromFile ?? url.credentials;
  return {
    root: url.root,
    server: url.server,
    prefix: url.prefix,
    ...(caPem !== undefined && { caPem }),
    ...(credentials !== undefined && { credentials }),
    preferences: [...new Set(preferences)],
    ...(given.boolean('enable-autocert') && { autocert }),
    missRate,
  };
}

function autocertSettings(given: GivenFlags, cwd: string, warnings: string[]): AutocertSettings {
  const askUrl = given.one('autocert-ask', parseAskUrl);
  return {
    allow: readAllowed(given, cwd, warnings),
    ...(askUrl !== undefined && { askUrl }),
    holdoffMs: given.milliseconds('autocert-holdoff'),
    concurrency: given.number('autocert-concurrency'),
    timeoutMs: given.milliseconds('autocert-timeout'),
  };
}

/** On when asked for, or when there is no other source: then `npm start` works with nothing else installed. */
function internalCaSettings(
  given: GivenFlags,
  defaultDir: string,
  othersConfigured: boolean,
): InternalCaSettings | undefined {
  const allow = given.list('internal-ca-allow', parsePattern);
  const dir = given.path('internal-ca') ?? (othersConfigured ? undefined : defaultDir);
  return dir === undefined ? undefined : { dir, allow };
}

function sourceOrder(
  given: GivenFlags,
  warnings: string[],
  configured: Readonly<Record<(typeof SOURCE_NAMES)[number], boolean>>,
): string[] {
  const order = [...new Set(given.list('sources', (text) => parseChoice(text, SOURCE_NAMES)))];
  const sources = order.filter((name) => configured[name]);
  const known = SOURCE_NAMES.filter((name) => configured[name]).join(', ');
  if (sources.length === 0) given.fail('sources', `names no source that is configured, which are: ${known}`);
  for (const name of given.has('sources') ? order : []) {
    if (!configured[name]) {
      warnings.push(`${given.label('sources')} names ${name}, which is not configured and is left out`);
    }
  }
  return sources;
}
