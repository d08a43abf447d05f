/**
 * The settings that a worker has: those of the program that it reads itself, by their names, and what the primary adds.
 *
 * Of plain settings the table of flags says which ones workers read; any other needs its name in `WORKER_KEYS`. PURE.
 */
import type { CertificatePair } from '../domain/certificate.js';
import { PLAIN_WORKER_KEYS, type PlainWorkerSettings } from './plain-settings.js';
import type { ChallengeSettings, Settings } from './settings.js';

const WORKER_KEYS = [
  'routes',
  'sendProxyProtocol',
  'acceptProxyProtocol',
  'unknownName',
  'http2Engine',
  'headers',
  'limits',
  'accessLog',
  'admin',
  'log',
] as const satisfies readonly (keyof Settings)[];

type SharedSettings = Pick<Settings, (typeof WORKER_KEYS)[number]> & PlainWorkerSettings;

export interface WorkerSettings extends SharedSettings {
  /** For HTTP-01 challenges on `--http-listen`: the servers in the order of asking (none: there are no challenges). */
  readonly challenges: ChallengeSettings;
  /** By the index of the listener: default certificates of its own. */
  readonly listenerPairs: readonly (readonly CertificatePair[] | null)[];
  readonly defaultPairs: readonly CertificatePair[];
  /** Whether a source has certificates for IP addresses: else nobody is asked about clients without a server name. */
  readonly choosesByAddress: boolean;
  /** Of session tickets: 48 bytes each, base64, the one to seal with first. */
  readonly ticketKeys: readonly string[];
}

/** The settings that workers read as they are. */
export function sharedSettings(settings: Settings): SharedSettings {
  const entries = [...WORKER_KEYS, ...PLAIN_WORKER_KEYS].map((key) => [key, settings[key]] as const);
  // An optional setting that is not given is left out: not every reader takes undefined for that.
  const given = Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  // The compiler does not follow keys through `fromEntries`.
  return given as unknown as SharedSettings;
}
