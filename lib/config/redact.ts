/**
 * The values of flags as they may be shown: without the passwords that URLs hold. PURE.
 */

/** `scheme://user:password@`, up to the last `@` before the path: a password may hold one that is not escaped. */
const USER_INFO = /([a-z][a-z0-9+.-]*:\/\/)[^/?#\s]*@/gi;
/** Of a query: ioredis takes a password there, and whoever is asked before an order may have a token. */
const SECRET_PARAMETER = /([?&](?:password|passwd|token|secret|key|auth|username)=)[^&#\s]+/gi;

export function redacted(text: string): string {
  return text.replace(USER_INFO, '$1***@').replace(SECRET_PARAMETER, '$1***');
}

/** Whether there is something to hide in a value. */
export function hasCredentials(text: string): boolean {
  return redacted(text) !== text;
}
