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
  sendBody(response, page.status, page.body, { 'content-type': page.contentType, ...headers });
}

/** Answers with a text. Its bytes are made here: as a string it would be written in the encoding of the head, which is latin1. */
export function sendBody(
  response: ClientResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>>,
): void {
  const body = Buffer.from(text);
  response.writeHead(status, { ...headers, 'content-length': String(body.length) });
  response.end(body);
}

export function isGone(response: ClientResponse): boolean {
  // The compatibility API of HTTP/2 has no `destroyed` in its types.
  return 'stream' in response ? response.stream.destroyed : response.destroyed;
}
