/**
 * What the manager's answers mean. PURE: status, content type and text go in, a verdict comes out.
 *
 * Three generations of the manager say the same under different JSON keys:
 *
 *     0.4.0  domain  server_certificate__latest_single, …_multi   (prefix /.well-known/admin)
 *     0.5.0  domain  certificate_signed__latest_single, …_multi   (prefix /.well-known/admin)
 *     1.0    Domain  x509_certificate__latest_single, …_multi     (prefix /.well-known/peter_sslers)
 *
 * `absent` is said for two answers only: the 404 that says "the domain was not found", and a 200 whose known keys are all
 * null. Whatever else is not a certificate is `unavailable`; its scope is `source` where every name would fare alike
 * (wrong prefix, wrong credentials, another server), `name` where the fault may be this entry's: a manager that crashes
 * over one name answers 500, with an error page whose type depends on the server that it runs on.
 */
import { isRecord } from '../../base/is-record.js';
import type { CertificatePair } from '../../domain/certificate.js';
import type { Lookup } from '../../domain/lookup.js';
import type { ServerName } from '../../domain/server-name.js';

/** An HTTP answer, read to its end. */
export interface ManagerAnswer {
  readonly status: number;
  /** The Content-Type header; empty where there was none. */
  readonly contentType: string;
  readonly body: string;
  /** By its clock, milliseconds since 1970, where the answer says it. */
  readonly dateMs?: number;
}

/** What a query's answer says, and whether an order may follow it. */
export interface QueryVerdict {
  readonly lookup: Lookup;
  /**
   * `yes` after absent. `unless-known` after the manager's plain-text 500: under prime style 2 that is how it answers for a
   * name that it knows without a certificate, but any crash looks the same. `no` after everything else.
   */
  readonly mayOrder: 'yes' | 'unless-known' | 'no';
}

/** What an order's answer says. */
export type OrderVerdict =
  | { readonly kind: 'issued'; readonly candidates: readonly (readonly CertificatePair[])[] }
  /** The manager said no, in its own words. */
  | { readonly kind: 'refused'; readonly message: string }
  /** The manager cannot order at present, this name or any other: its own settings are at fault. */
  | { readonly kind: 'unable'; readonly message: string }
  /** An order for the name is under way, or was a moment ago. Not a failure. */
  | { readonly kind: 'active'; readonly message: string }
  /** No verdict: an error page, a help document, nonsense. */
  | { readonly kind: 'failed'; readonly reason: string };

/** The manager's three wordings of "somebody is ordering this name already". */
const ACTIVE = /active or recent autocert attempt|active pre authorizations|active challenges/i;
const MAIN_ERROR = 'Error_Main';
/** Manager 1.0 says this where it has no policy for orders; the message belongs to no field of the form. */
const NOT_CONFIGURED = /has not been configured/i;
const UNKNOWN_DOMAIN = 'the domain was not found';
/** Where an answer says which domain it is about: 1.0, and the older two. */
const DOMAIN_KEYS: readonly string[] = ['Domain', 'domain'];
const MAX_MESSAGE_LENGTH = 300;

/**
 * Interprets the answer to a query.
 *
 * @param answer the answer.
 * @param name the name that was asked for: an answer that says another one is refused (an all-digit path would be read as a
 *   database id and answered with another domain's key). One that says none is taken: its certificates, which are examined
 *   before they are served, say themselves whom they are for.
 * @param path the path that was asked for, without the query string: a 404 that quotes it comes from a wrong prefix.
 * @param preferences the JSON keys that may be used, best first. Others are never used.
 */
export function interpretQuery(
  answer: ManagerAnswer,
  name: ServerName,
  path: string,
  preferences: readonly string[],
): QueryVerdict {
  if (answer.status === 404) return interpretNotFound(answer, path);
  if (isPlain500(answer)) {
    return {
      lookup: { kind: 'unavailable', reason: describeStatus(answer), scope: 'name' },
      mayOrder: 'unless-known',
    };
  }
  if (answer.status !== 200) {
    return unavailable(describeStatus(answer), answer.status === 500 ? 'name' : 'source');
  }
  const json = parseObject(answer);
  if ('problem' in json) return unavailable(json.problem, 'source');
  const certificates = readCertificates(json.object, name, preferences);
  switch (certificates.kind) {
    case 'found':
      return { lookup: certificates, mayOrder: 'no' };
    case 'absent':
      return { lookup: { kind: 'absent' }, mayOrder: 'yes' };
    case 'unavailable':
      return { lookup: certificates, mayOrder: 'no' };
  }
}

/** Interprets the answer to an order. Parameters as for a query. */
export function interpretOrder(
  answer: ManagerAnswer,
  name: ServerName,
  preferences: readonly string[],
): OrderVerdict {
  const failed = (reason: string): OrderVerdict => ({ kind: 'failed', reason });
  if (answer.status === 404)
    return failed('it answered 404 to an order: it has no autocert, or the prefix is wrong');
  if (answer.status !== 200) return failed(describeStatus(answer));
  const json = parseObject(answer);
  if ('problem' in json) return failed(json.problem);
  const { object } = json;
  const result = member(object, 'result');
  if (result !== 'success' && result !== 'error') return failed('it answered an order without a result');
  const message = ownWords(object);
  if (result === 'error') return { kind: kindOfError(object, message), message };
  const certificates = readCertificates(object, name, preferences);
  switch (certificates.kind) {
    case 'found':
      return { kind: 'issued', candidates: certificates.candidates };
    case 'absent':
      return { kind: 'refused', message };
    case 'unavailable':
      return failed(certificates.reason);
  }
}

/** The form that refuses an order says by its fields whether it is the name's fault. `Error_Main` speaks for all fields. */
function kindOfError(object: object, message: string): 'active' | 'unable' | 'refused' {
  if (ACTIVE.test(message)) return 'active';
  const errors = member(object, 'form_errors');
  if (!isRecord(errors)) return 'refused';
  const fields = Object.keys(errors).filter((field) => field !== MAIN_ERROR);
  if (fields.length > 0) return fields.includes('domain_name') ? 'refused' : 'unable';
  return NOT_CONFIGURED.test(message) ? 'unable' : 'refused';
}

function interpretNotFound(answer: ManagerAnswer, path: string): QueryVerdict {
  const json = parseObject(answer);
  if ('problem' in json) {
    return unavailable(
      'it answered 404 without the JSON of a manager: the address or its prefix is probably wrong',
      'source',
    );
  }
  const message = member(json.object, 'message');
  const text = typeof message === 'string' ? message : '';
  if (text.includes(UNKNOWN_DOMAIN)) return { lookup: { kind: 'absent' }, mayOrder: 'yes' };
  const quotes = text.includes(path) || text.includes(decodePath(path));
  return unavailable(
    quotes
      ? 'it answered 404 for the path itself: the prefix in --fallback-server is probably wrong (/.well-known/peter_sslers from 1.0 on, /.well-known/admin before)'
      : 'it answered 404 without saying that the domain is unknown: the prefix in --fallback-server is probably wrong',
    'source',
  );
}

/** The manager's own error page, which stands for a crash as well as for a known name without a certificate. */
function isPlain500({ status, contentType }: ManagerAnswer): boolean {
  return status === 500 && mediaType(contentType) === 'text/plain';
}

/** A status that is neither 200 nor 404, in words. */
function describeStatus(answer: ManagerAnswer): string {
  const { status } = answer;
  if (isPlain500(answer)) return 'it answered 500 (an internal error, or a known name without a certificate)';
  if (status === 401) return 'it answered 401: the credentials are missing or wrong';
  if (status === 403) return 'it answered 403: this host may not ask it';
  if (status >= 300 && status < 400) return `it answered ${status}, and redirects are not followed`;
  return `it answered ${status}`;
}

type Certificates = Exclude<Lookup, { kind: 'pending' }>;

/** The certificates of an answer, in the order of the preferences. */
function readCertificates(object: object, name: ServerName, preferences: readonly string[]): Certificates {
  const other = DOMAIN_KEYS.map((key) => domainNameOf(member(object, key))).find(
    (stated) => stated !== undefined && stated.toLowerCase() !== name,
  );
  if (other !== undefined) {
    // Scope `name`: the manager is well and answers other names rightly; only this one leads it astray.
    return { kind: 'unavailable', reason: `it answered for another domain (${quote(other)})`, scope: 'name' };
  }
  const keys = preferences.filter((key) => member(object, key) !== undefined);
  if (keys.length === 0) {
    const seen = Object.keys(object).filter((key) => !DOMAIN_KEYS.includes(key));
    const list = seen.length === 0 ? 'none' : seen.slice(0, 8).map(quote).join(', ');
    return {
      kind: 'unavailable',
      reason: `none of the keys in --cert-preferences appears in its answer; keys seen: ${list}`,
      scope: 'source',
    };
  }
  const candidates: (readonly CertificatePair[])[] = [];
  let problem: string | undefined;
  for (const key of keys) {
    const value = member(object, key);
    if (value === null) continue;
    const pair = readPair(value);
    if (typeof pair === 'string') problem ??= `${key} ${pair}`;
    else candidates.push([pair]);
  }
  if (candidates.length > 0) return { kind: 'found', candidates };
  return problem === undefined ? { kind: 'absent' } : { kind: 'unavailable', reason: problem, scope: 'name' };
}

function domainNameOf(domain: unknown): string | undefined {
  const name = isRecord(domain) ? member(domain, 'domain_name') : undefined;
  return typeof name === 'string' ? name : undefined;
}

/** One certificate object, or what is wrong with it (never with its content). */
function readPair(value: unknown): CertificatePair | string {
  if (!isRecord(value)) return 'is not an object';
  const keyPem = readPem(value, 'private_key');
  if (keyPem === undefined) return 'holds no private key';
  const fullchainPem = readPem(value, 'fullchain');
  if (fullchainPem !== undefined) return { chainPem: fullchainPem, keyPem };
  const leafPem = readPem(value, 'certificate');
  if (leafPem === undefined) return 'holds no certificate';
  const chain = member(value, 'chain');
  if (chain === undefined || chain === null) return { chainPem: leafPem, keyPem };
  const chainPem = readPem(value, 'chain');
  return chainPem === undefined
    ? 'holds no chain'
    : { chainPem: `${leafPem.trimEnd()}\n${chainPem}`, keyPem };
}

function readPem(object: object, key: string): string | undefined {
  const part = member(object, key);
  const pem = isRecord(part) ? member(part, 'pem') : undefined;
  return typeof pem === 'string' && pem.includes('-----BEGIN ') ? pem : undefined;
}

/** What the manager says of an order: `error`, `notes` and the texts of `form_errors`. */
function ownWords(object: object): string {
  const words: string[] = [];
  for (const key of ['error', 'notes']) {
    const text = member(object, key);
    if (typeof text === 'string') words.push(text);
  }
  const formErrors = member(object, 'form_errors');
  if (isRecord(formErrors)) {
    for (const text of Object.values(formErrors)) if (typeof text === 'string') words.push(text);
  }
  return words.length === 0 ? 'no reason given' : quote(words.join('; '));
}

function parseObject(answer: ManagerAnswer): { object: object } | { problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(answer.body);
  } catch {
    // The parser's own message quotes the text, which may be a key.
    const type = mediaType(answer.contentType);
    return {
      problem: `it answered ${answer.status} with ${type === 'application/json' ? 'broken JSON' : type}`,
    };
  }
  return isRecord(value) ? { object: value } : { problem: 'it answered with JSON that is not an object' };
}

function unavailable(reason: string, scope: 'source' | 'name'): QueryVerdict {
  return { lookup: { kind: 'unavailable', reason, scope }, mayOrder: 'no' };
}

/** A member of the object itself, not an inherited one such as `constructor`. */
function member(object: object, key: string): unknown {
  return Object.hasOwn(object, key) ? (object as Record<string, unknown>)[key] : undefined;
}

function mediaType(contentType: string): string {
  const [type = ''] = contentType.split(';');
  return type.trim().toLowerCase() || 'no content type';
}

/** The manager's text for a log line: one line, bounded, and free of PEM whatever it holds. */
function quote(text: string): string {
  const line = text
    .replace(/-----BEGIN [\s\S]*?(-----END [^-]*-----|$)/g, '[PEM left out]')
    .replace(/[\s\u0000-\u001f\u007f]+/g, ' ')
    .trim();
  return line.length > MAX_MESSAGE_LENGTH ? `${line.slice(0, MAX_MESSAGE_LENGTH)}…` : line;
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
