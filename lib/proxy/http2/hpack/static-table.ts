/**
 * The fields that both sides know from the outset (RFC 7541 Appendix A). PURE.
 */

/** In their order: the names, and the values of those that have one. */
const ENTRIES: readonly string[] = [
  ':authority',
  ':method GET',
  ':method POST',
  ':path /',
  ':path /index.html',
  ':scheme http',
  ':scheme https',
  ':status 200',
  ':status 204',
  ':status 206',
  ':status 304',
  ':status 400',
  ':status 404',
  ':status 500',
  'accept-charset',
  'accept-encoding gzip, deflate',
  'accept-language',
  'accept-ranges',
  'accept',
  'access-control-allow-origin',
  'age',
  'allow',
  'authorization',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-range',
  'content-type',
  'cookie',
  'date',
  'etag',
  'expect',
  'expires',
  'from',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-modified',
  'link',
  'location',
  'max-forwards',
  'proxy-authenticate',
  'proxy-authorization',
  'range',
  'referer',
  'refresh',
  'retry-after',
  'server',
  'set-cookie',
  'strict-transport-security',
  'transfer-encoding',
  'user-agent',
  'vary',
  'via',
  'www-authenticate',
];

/** The last index of it: those of the dynamic table follow (§2.3.3). */
export const STATIC_ENTRIES = ENTRIES.length;

/** By index: there is no entry 0. */
export const STATIC_NAMES: readonly string[] = ['', ...ENTRIES.map((entry) => entry.split(' ', 1).join())];
/** By index, '' where the entry has none. */
export const STATIC_VALUES: readonly string[] = ['', ...ENTRIES.map((entry) => entry.replace(/^\S+ ?/, ''))];
