/**
 * Detects requests that a browser sends because of a page of another site (cross-site request forgery): the browser adds the
 * password by itself, although the author of the page has none.
 *
 * PURE. After the W3C's Fetch Metadata and Go's `http.CrossOriginProtection`, with two differences: the admin routes change
 * things by GET, so GET is judged too; and `Origin` has to fit also where `Sec-Fetch-Site` does.
 */
/** What browsers say of the page behind a request; other programs say nothing. */
export interface BrowserFields {
  readonly origin?: string | undefined;
  readonly referer?: string | undefined;
  readonly 'sec-fetch-site'?: string | undefined;
}

/** `none`: an address that was typed, or a bookmark. `same-site` is another host or port, which others may run. */
const OWN_SITE = ['same-origin', 'none'];

/**
 * Whether a request is due to a page of another origin.
 *
 * A request without any of the fields is not. Browsers send none with an image of a page that hides its own address, when our
 * address is plain HTTP: nothing tells such a request from a program's.
 *
 * @param authority whom the request is for, with its port.
 */
export function isFromAnotherSite(fields: BrowserFields, authority: string | undefined): boolean {
  const { origin, referer, 'sec-fetch-site': fetchSite } = fields;
  if (fetchSite !== undefined && !OWN_SITE.includes(fetchSite)) return true;
  if (origin !== undefined) return !isOfHost(origin, authority);
  // `Referer` is the only one that browsers send over plain HTTP.
  return fetchSite === undefined && referer !== undefined && !isOfHost(referer, authority);
}

/** Compares hosts and ports, a default port left out or not. `null`, for an origin that is kept secret, is no host's. */
function isOfHost(url: string, authority: string | undefined): boolean {
  if (authority === undefined || !URL.canParse(url)) return false;
  const { protocol, host } = new URL(url);
  const own = `${protocol}//${authority}`;
  return host !== '' && URL.canParse(own) && new URL(own).host === host;
}
