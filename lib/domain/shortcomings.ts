/**
 * What is wrong with a certificate that is served all the same, so that the operator learns of it before clients fail. PURE.
 *
 * What does not change is read once, when the certificate is parsed (`standingOf`); its shortcomings at a given time follow from that.
 */
import type { X509Certificate } from 'node:crypto';
import { datesProblem } from './certificate.js';
import { chainState } from './chain-state.js';

/** What the shortcomings follow from. It does not keep the parsed certificate in memory. */
export interface Standing {
  /** By all signs there is an intermediate, and it is not in the chain. */
  readonly isIssuerMissing: boolean;
  /**
   * The certificate of the chain above the leaf that expires first. Self-signed ones do not count: clients do not check their dates.
   */
  readonly intermediate?: { readonly name: string; readonly notAfterMs: number };
  /** RFC 7633: clients may insist on a stapled OCSP answer, and we staple none. */
  readonly mustStaple: boolean;
}

/** So long before its end an expiry is reported. Renewals are due earlier: at thirty days, or at a third of a shorter life. */
const SOON_MS = 14 * 86_400_000;
/** id-pe-tlsfeature (RFC 7633 §3.1) as DER. */
const TLS_FEATURE = Buffer.from('06082b06010505070118', 'hex');
/** The longest name in a message: the authority chooses its own name. */
const MAX_NAME_LENGTH = 64;

/** @param above the other certificates of the chain. */
export function standingOf(leaf: X509Certificate, above: readonly X509Certificate[]): Standing {
  const isSelfIssued = leaf.issuer === leaf.subject;
  let intermediate: Standing['intermediate'];
  for (const certificate of above) {
    if (certificate.issuer === certificate.subject) continue;
    const notAfterMs = Date.parse(certificate.validTo);
    if (intermediate !== undefined && intermediate.notAfterMs <= notAfterMs) continue;
    intermediate = { name: nameOf(certificate), notAfterMs };
  }
  return {
    isIssuerMissing: !isSelfIssued && chainState(leaf, above) === 'broken',
    ...(intermediate !== undefined && { intermediate }),
    mustStaple: leaf.raw.includes(TLS_FEATURE),
  };
}

/**
 * What a certificate lacks at a time, one clause each.
 *
 * @param dates of the leaf, milliseconds since 1970.
 */
export function shortcomingsOf(
  standing: Standing,
  dates: { readonly notBeforeMs: number; readonly notAfterMs: number },
  nowMs: number,
): string[] {
  const { isIssuerMissing, intermediate, mustStaple } = standing;
  const found: string[] = [];
  const problem = datesProblem(dates, nowMs);
  if (problem !== undefined) found.push(problem);
  else if (dates.notAfterMs - nowMs <= SOON_MS) found.push(`it expires on ${isoDate(dates.notAfterMs)}`);
  if (isIssuerMissing) found.push('the intermediate certificate is missing from its chain');
  if (intermediate !== undefined && intermediate.notAfterMs <= nowMs) {
    found.push(
      `the certificate of its chain for ${intermediate.name} expired on ${isoDate(intermediate.notAfterMs)}`,
    );
  }
  if (mustStaple)
    found.push('it demands a stapled OCSP answer (must-staple), which this proxy does not send');
  return found;
}

function isoDate(ms: number): string {
  return new Date(ms).toISOString();
}

function nameOf(certificate: X509Certificate): string {
  // Undefined where it is empty, whatever the type says.
  const subject = (certificate.subject as string | undefined) ?? 'an authority without a name';
  const name = /^CN=(.*)$/m.exec(subject)?.[1] ?? subject.replaceAll('\n', ', ');
  return name.slice(0, MAX_NAME_LENGTH);
}
