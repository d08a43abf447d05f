/**
 * Basic authentication (RFC 7617) of the admin routes.
 */

/** The header that goes with a 401. */
export const CHALLENGE = 'Basic realm="peter_sslers", charset="UTF-8"';

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

const BASIC = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i;

/**
 * Reads an `Authorization` header.
 *
 * Credentials are UTF-8, as the challenge says. Clients that never look at it (the manager's HTTP library is one)
 * send latin1, which is seldom valid UTF-8: it is then read as that.
 *
 * @returns undefined for anything but well-formed Basic credentials.
 */
export function parseBasicCredentials(header: string | undefined): Credentials | undefined {
  const encoded = BASIC.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    text = bytes.toString('latin1');
  }
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
