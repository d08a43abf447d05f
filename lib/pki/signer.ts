/**
 * Who signs a certificate: its own key, or an authority. An authority's subject and key identifier are read out of its certificate.
 */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { fromDer, isTagged, members, oid, type Node } from './der.js';
import { keyIdOf, type GeneratedKey } from './keys.js';

const SUBJECT_KEY_IDENTIFIER = '2.5.29.14';

/** A certificate that may sign others, with its key. Both PEM. */
export interface Authority {
  readonly certPem: string;
  readonly keyPem: string;
}

export interface Signer {
  readonly subject: Node;
  readonly privateKey: KeyObject;
  /** The octets of its subject key identifier. */
  readonly keyId: string;
}

/** The key of the certificate itself. */
export function ownSigner(subject: Node, key: GeneratedKey): Signer {
  return { subject, privateKey: key.privateKey, keyId: keyIdOf(key.publicKey) };
}

/** @throws TypeError where the issuer is no X.509 v3 certificate. */
export function signerOf(issuer: Authority): Signer {
  const cert = new X509Certificate(issuer.certPem);
  const tbs = members(members(fromDer(cert.raw))[0]);
  const subject = tbs[5];
  if (subject === undefined) throw new TypeError('the issuer is not an X.509 v3 certificate');
  return {
    subject,
    privateKey: createPrivateKey(issuer.keyPem),
    // Others compute it in other ways than this module: what the issuer declares counts.
    keyId: declaredKeyId(tbs) ?? keyIdOf(cert.publicKey),
  };
}

/** What the issuer declares as its own key identifier. */
function declaredKeyId(tbs: readonly Node[]): string | undefined {
  const wanted = oid(SUBJECT_KEY_IDENTIFIER).value;
  const extensions = members(members(tbs.find((part) => isTagged(part, 3)))[0]);
  const declared = extensions.find((entry) => members(entry)[0]?.value === wanted);
  const content = members(declared).at(-1)?.value;
  if (typeof content !== 'string') return undefined;
  const keyId = fromDer(Buffer.from(content, 'binary')).value;
  return typeof keyId === 'string' ? keyId : undefined;
}
