/** A resolver on manual time, with sources whose answers a test gives. */
import { NegativeCache } from '../../../lib/caches/negative-cache.js';
import { PemCache } from '../../../lib/caches/pem-cache.js';
import type { CertificatePair } from '../../../lib/domain/certificate.js';
import type { ServerName } from '../../../lib/domain/server-name.js';
import type { Logger } from '../../../lib/log/logger.js';
import type { ResolveRequest } from '../../../lib/domain/lookup.js';
import { Resolver, type ResolverParts, type ResolverSettings } from '../../../lib/resolver/resolver.js';
import { makeTestCa, type IssueOptions, type TestCa } from '../../support/certificates.js';
import type { SourceRole } from '../../../lib/sources/source.js';
import { FakeSource } from '../../support/fake-source.js';
import { ManualTime } from '../../support/manual-time.js';

export const NAME = 'www.a.test' as ServerName;
export const SETTINGS: ResolverSettings = {
  certCacheDurationMs: 600_000,
  errorCacheDurationMs: 5_000,
  lookupTimeoutMs: 2_000,
  refreshTimeoutMs: 100,
  autocertTimeoutMs: 30_000,
  absentGraceMs: 86_400_000,
  wildcards: false,
};

let ca: Promise<TestCa> | undefined;

/** A certificate of one authority for all tests; by default for NAME and valid at the time of the manual clock. */
export async function issue(names = [NAME as string], options: IssueOptions = {}): Promise<CertificatePair> {
  ca ??= makeTestCa();
  return (await ca).issue(names, {
    notBefore: START_MS - DAY_MS,
    notAfter: START_MS + 30 * DAY_MS,
    ...options,
  });
}

export const START_MS = Date.UTC(2026, 0, 1);
export const DAY_MS = 86_400_000;

export interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export function openStage(
  settings: Partial<ResolverSettings> = {},
  names = ['redis', 'manager'],
  parts: Pick<ResolverParts, 'observer'> = {},
) {
  const time = new ManualTime(START_MS);
  const lines: Line[] = [];
  const write =
    (level: string) =>
    (message: string, fields = {}) =>
      void lines.push({ level, message, fields });
  const log: Logger = {
    err: write('err'),
    notice: write('notice'),
    info: write('info'),
    debug: write('debug'),
    enabled: () => true,
  };
  const sources = names.map((name) => new FakeSource(name));
  const pem = new PemCache({ maxBytes: 1e6, clock: time.clock });
  const negative = new NegativeCache({ maxItems: 100, now: time.now });
  const resolver = new Resolver(
    { pem, negative, log, clock: time.clock, startTimer: time.startTimer, ...parts },
    { ...SETTINGS, ...settings },
    sources,
  );
  const resolve = (request: Partial<ResolveRequest> = {}) =>
    resolver.resolve({ name: NAME, phase: 'lookup', client: '192.0.2.1', ...request });
  const [redis, manager] = sources as [FakeSource, FakeSource];
  return { time, lines, log, pem, negative, resolver, resolve, redis, manager, sources };
}

/** Redis as a copy of what the manager has, and a directory before both. */
export function openRolesStage(settings: Partial<ResolverSettings> = {}) {
  const parts = openStage(settings, ['redis', 'manager', 'directory']);
  const [redis, manager, directory] = parts.sources as [FakeSource, FakeSource, FakeSource];
  const roles: readonly (readonly [FakeSource, SourceRole])[] = [
    [redis, 'copy'],
    [manager, 'authority'],
  ];
  for (const [source, role] of roles) source.role = role;
  directory.isLocal = true;
  return { ...parts, directory };
}
