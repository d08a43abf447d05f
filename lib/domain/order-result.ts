/**
 * What has come of an order of a certificate.
 */
export type OrderResult =
  | 'issued'
  /** The manager said no. */
  | 'refused'
  /** The manager cannot order at present, this name or any other. */
  | 'unable'
  /** An order for the name is under way elsewhere, or was a moment ago. Not a failure. */
  | 'active'
  /** No verdict: an error page, nonsense, nothing. */
  | 'failed';
