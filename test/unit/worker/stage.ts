/** A worker's certificates with a primary whose answers a test gives, real certificates and a clock that stands still. */
import { X509Certificate } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import type { WorkerSettings } from '../../../lib/config/worker-settings.js';
import type { WorkerToPrimary } from '../../../lib/bus/messages.js';
import type { CertificateBundle, CertificatePair } from '../../../lib/domain/certificate.js';
import { examine } from '../../../lib/domain/examination.js';
import { defer, type Deferred } from '../../../lib/base/deferred.js';
import type { Resolution } from '../../../lib/domain/lookup.js';
import type { ServerName } from '../../../lib/domain/server-name.js';
import type { Logger } from '../../../lib/log/logger.js';
import type { Asker, ChosenCertificate } from '../../../lib/tls/terminate.js';
import { Certificates } from '../../../lib/worker/certificates.js';
import { makeTestCa, type IssueOptions, type TestCa } from '../../support/certificates.js';
import { workerSettings } from '../../support/worker-settings.js';
import { ManualTime } from '../../support/manual-time.js';

export const [A, B, C] = ['a.test', 'b.test', 'c.test'] as [ServerName, ServerName, ServerName];
export const CLIENT: Asker = { address: '192.0.2.1', handshake: '1-a' };
/** The same in a question to the primary. */
export const ASKED = { client: '192.0.2.1', handshake: '1-a' };
export const START_MS = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;

let ca: Promise<TestCa> | undefined;

export async function issuePair(
  names: readonly string[],
  options: IssueOptions = {},
): Promise<CertificatePair> {
  ca ??= makeTestCa();
  const dates = { notBefore: START_MS - DAY_MS, notAfter: START_MS + 30 * DAY_MS };
  return (await ca).issue(names, { ...dates, ...options });
}

/** A certificate as the primary sends it. */
export async function issue(name: string, options: IssueOptions = {}): Promise<CertificateBundle> {
  return bundleOf(await issuePair([name], options));
}

export function bundleOf(pair: CertificatePair): CertificateBundle {
  const verdict = examine([pair], undefined, START_MS);
  if (verdict.kind === 'unusable') throw new Error(verdict.reason);
  return verdict.bundle;
}

export function authority(): Promise<TestCa> {
  ca ??= makeTestCa();
  return ca;
}

export const ticketKey = (fill: number): string => Buffer.alloc(48, fill).toString('base64');
const NOTHING = Buffer.alloc(0);

interface NativeContext {
  getCertificate(): Buffer;
  onticketkeycallback(name: Buffer, vector: Buffer, isNew: boolean): readonly [number, ...Buffer[]];
}
const native = (context: SecureContext): NativeContext => context.context as NativeContext;

/** The names of the certificate that a context serves. */
export function namesIn({ context }: ChosenCertificate): string | undefined {
  return new X509Certificate(native(context).getCertificate()).subjectAltName?.replaceAll('DNS:', '');
}

export function serialIn({ context }: ChosenCertificate): string {
  return new X509Certificate(native(context).getCertificate()).serialNumber;
}

export const serialOf = ({ pairs }: CertificateBundle): string =>
  new X509Certificate(pairs[0]?.chainPem ?? '').serialNumber;

/** The key that a context seals session tickets with. */
export function ticketKeyIn({ context }: ChosenCertificate): string {
  const [, hmac, aes, name] = native(context).onticketkeycallback(NOTHING, NOTHING, true);
  return Buffer.concat([name ?? NOTHING, hmac ?? NOTHING, aes ?? NOTHING]).toString('base64');
}

export interface Question {
  readonly params: WorkerToPrimary['resolve']['params'];
  readonly deadlineMs: number;
  readonly reply: Deferred<Resolution>;
}

let defaultPair: Promise<CertificatePair> | undefined;

export async function makeSettings(changes: Partial<WorkerSettings> = {}): Promise<WorkerSettings> {
  defaultPair ??= issuePair(['default.invalid']);
  return workerSettings({ defaultPairs: [await defaultPair], ticketKeys: [ticketKey(1)], ...changes });
}

export async function openStage(changes: Partial<WorkerSettings> = {}) {
  const time = new ManualTime(START_MS);
  const questions: Question[] = [];
  const lines: { message: string; fields: Readonly<Record<string, unknown>> }[] = [];
  const notices: string[] = [];
  /** How long the primary's answers are under way. */
  const line = { lateMs: 0 };
  const log: Logger = {
    err: (message, fields = {}) => void lines.push({ message, fields }),
    notice: (message) => void notices.push(message),
    info: () => undefined,
    debug: () => undefined,
    enabled: () => true,
  };
  const settings = await makeSettings(changes);
  const certificates = new Certificates(
    {
      ask: (params, deadlineMs) => {
        const reply = defer<Resolution>();
        questions.push({ params, deadlineMs, reply });
        return reply.promise.then((value) => ({ value, atMs: time.nowMs - line.lateMs }));
      },
      log,
      clock: time.clock,
      startTimer: time.startTimer,
    },
    settings,
  );
  /** Makes a handshake to whose question the primary says this. */
  const resolve = async (name: ServerName, resolution: Resolution): Promise<ChosenCertificate> => {
    const before = questions.length;
    const choice = certificates.choose(name, CLIENT);
    if (questions.length !== before + 1) throw new Error(`nobody was asked for ${name}`);
    questions[before]?.reply.resolve(resolution);
    return choice;
  };
  /** Makes a handshake that has to be answered at once. */
  const hit = (name: ServerName): ChosenCertificate => {
    const choice = certificates.choose(name, CLIENT);
    if (choice instanceof Promise) throw new Error(`the primary was asked for ${name}`);
    return choice;
  };
  return { certificates, time, questions, line, lines, notices, settings, resolve, hit };
}
