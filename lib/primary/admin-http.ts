/**
 * Requests of administrators in the primary, over Node's own server: from a request to the admin router and back. The primary takes no
 * traffic of clients, so what that costs does not matter.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { AdminRequest, AdminRouter } from '../admin/routes.js';
import { describeError } from '../domain/errors.js';
import { readTarget } from '../domain/request-target.js';
import type { Logger } from '../log/logger.js';
import { plainAddress } from '../net/connection-info.js';
import type { EventStream } from './event-stream.js';

export interface AdminHttpOptions {
  readonly router: AdminRouter;
  readonly events: EventStream;
  readonly log: Logger;
  /** Whether a request with this `Host` is answered. @default any is */
  takesHost?(this: void, host: string | undefined): boolean;
}

export function adminListener(options: AdminHttpOptions): RequestListener {
  return (request, response) => void answer(options, request, response);
}

/** Never rejects. */
async function answer(
  { router, events, log, takesHost }: AdminHttpOptions,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    // No operation has a body.
    incoming.resume();
    const request = readRequest(incoming);
    if (request === undefined) {
      response.writeHead(400).end();
      return;
    }
    if (takesHost?.(request.host) === false) {
      response.writeHead(403, { 'content-type': 'text/plain; charset=utf-8' });
      response.end('403 Forbidden: this host is not served here; --admin-host names more\n');
      return;
    }
    const stream = await router.askForEvents(request);
    if (stream === 'stream') {
      events.add(response);
      return;
    }
    const { status, headers, body } = stream ?? (await router.respond(request));
    response.writeHead(status, headers).end(body);
  } catch (thrown) {
    log.err('admin request failed', { error: describeError(thrown) });
    if (!response.headersSent) response.writeHead(503);
    response.end();
  }
}

function readRequest({ method = '', url = '', headers, socket }: IncomingMessage): AdminRequest | undefined {
  const target = readTarget(url);
  if (target === undefined) return undefined;
  return {
    method,
    target,
    host: headers.host,
    authorization: headers.authorization,
    browser: {
      origin: headers.origin,
      referer: headers.referer,
      'sec-fetch-site': headers['sec-fetch-site'],
    },
    client: plainAddress(socket.remoteAddress),
  };
}
