/**
 * The certificates of the scenario "truth", made before it begins.
 */
import { X509Certificate } from 'node:crypto';
import type { CertificatePair } from '../../lib/domain/certificate.js';
import { generateKey } from '../../lib/pki/keys.js';
import { selfSigned } from '../../lib/pki/mint.js';
import type { TestCa } from './certificates.js';
import { opensslIssue } from './openssl-issue.js';
import type { Content } from './truth-history.js';
import type { Make } from './truth-plan.js';
import { fingerprintOf } from './visit.js';

/** Something to be put into a source. */
export interface Stuff {
  readonly make: Make;
  readonly pair: CertificatePair;
  /** What the source then has for the name. */
  readonly content: Content;
}

const HOUR_MS = 3_600_000;
/** The last third of its life, in which the manager is asked for another one, is not reached by a step of the clock. */
const VALID_FOR_MS = 9 * HOUR_MS;
const OTHER_NAME = 'elsewhere.truth.test';
const UNUSABLE: Content = { kind: 'unusable' };

export async function makeStuff(ca: TestCa, name: string, make: Make): Promise<Stuff> {
  switch (make) {
    case 'good':
      return certificate(make, await ca.issue([name]));
    case 'expired':
      return certificate(make, await ca.issue([name], { notAfter: Date.now() - HOUR_MS }), {
        isValid: false,
      });
    case 'self-signed': {
      const nowMs = Date.now();
      const validity = { notBeforeMs: nowMs - HOUR_MS, notAfterMs: nowMs + VALID_FOR_MS };
      const pair = selfSigned({ names: [name], key: await generateKey(), ...validity });
      return certificate(make, pair, { hasIssuer: false });
    }
    case 'client-only': {
      const options = { names: [name], extensions: ['extendedKeyUsage=clientAuth'] };
      return certificate(make, await opensslIssue(ca.authority, options), { isForServers: false });
    }
    case 'other-name':
      return { make, pair: await ca.issue([OTHER_NAME]), content: UNUSABLE };
    case 'refused': {
      const options = { names: [name], key: ['RSA', 'rsa_keygen_bits:512'] as const };
      return { make, pair: await opensslIssue(ca.authority, options), content: UNUSABLE };
    }
    case 'cut': {
      const { chainPem, keyPem } = await ca.issue([name]);
      // Within the second of its two certificates.
      return {
        make,
        pair: { chainPem: chainPem.slice(0, chainPem.length - 100), keyPem },
        content: UNUSABLE,
      };
    }
  }
}

function certificate(
  make: Make,
  pair: CertificatePair,
  { isValid = true, isForServers = true, hasIssuer = true } = {},
): Stuff {
  const notBeforeMs = Date.parse(new X509Certificate(pair.chainPem).validFrom);
  const known = { leaf: fingerprintOf(pair), isValid, isForServers, hasIssuer, notBeforeMs };
  return { make, pair, content: { kind: 'certificate', certificate: known } };
}
