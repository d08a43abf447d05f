/**
 * The admin routes on a public listener: an `AdminRouter`'s answers on HTTP/1.1 and HTTP/2.
 */
import type { AdminRouter } from '../admin/routes.js';
import { describeError } from '../domain/errors.js';
import type { RequestTarget } from '../domain/request-target.js';
import type { Logger } from '../log/logger.js';
import type { RequestContext } from './downstream/request-context.js';
import { joinedValues } from './headers/fields.js';

/** Answers a request that the router owns and whose host has been read. Never rejects. */
export async function answerAdmin(
  context: RequestContext,
  target: RequestTarget,
  { admin, log }: { readonly admin: AdminRouter; readonly log: Logger },
): Promise<void> {
  const { method, host, client, connection } = context;
  client.by = 'admin';
  try {
    const field = (name: string): string | undefined => joinedValues(context.headers, name);
    const answer = await admin.respond({
      method,
      target,
      host,
      authorization: field('authorization'),
      browser: {
        origin: field('origin'),
        referer: field('referer'),
        'sec-fetch-site': field('sec-fetch-site'),
      },
      client: connection.info.client.address,
    });
    client.send(answer.status, answer.body, answer.headers);
  } catch (thrown) {
    log.err('admin request failed', { id: client.id, error: describeError(thrown) });
    client.refuse(503);
  }
}
