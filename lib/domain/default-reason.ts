/**
 * Why a handshake was served the default certificate. PURE.
 *
 * The words are an interface: the log, the access log and whoever counts them have them as they are.
 */

export const DEFAULT_REASONS = [
  /** The client has sent no server name, or no valid one, and there are no certificates for addresses. */
  'no-server-name',
  /** The primary has said just now: every source says that there is none. */
  'absent',
  /** It has said so a moment ago, and the worker remembers. */
  'absent-cached',
  /** The primary has said just now: nobody could tell, and there is no earlier certificate. */
  'unavailable',
  /** It has said so a moment ago, and the worker remembers. */
  'unavailable-cached',
  /** The sources have not answered within `--lookup-timeout`. */
  'sources-late',
  /** A source will know later: the rate of questions is at its limit, say, or somebody else has ordered a certificate. */
  'pending',
  /** A certificate is being ordered. */
  'ordering',
  /** The primary has not answered, or is known to be late. */
  'primary-late',
  /** OpenSSL serves none of the certificates that there are. */
  'refused-by-openssl',
] as const;

export type DefaultReason = (typeof DEFAULT_REASONS)[number];
