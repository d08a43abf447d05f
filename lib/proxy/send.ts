/**
 * Pages of ours, on HTTP/1.1 and HTTP/2 alike.
 */
import type { ClientResponse } from './client-message.js';
import type { Page } from './pages.js';

/** Answers with a page, unless the response has begun or the client has gone. */
export function sendPage(
  response: ClientResponse,
  page: Page,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent || isGone(response)) return;
  const fields = {
    'content-type': page.contentType,
    'content-length': String(Buffer.byteLength(page.body)),
    ...headers,
  };
  response.writeHead(page.status, fields);
  response.end(page.body);
}

export function isGone(response: ClientResponse): boolean {
  // The compatibility API of HTTP/2 has no `destroyed` in its types.
  return 'stream' in response ? response.stream.destroyed : response.destroyed;
}
