/**
 * A challenge on its way to the manager and back: it takes a lease, which the whole machine shares, asks the servers, and gives
 * the lease back when they have answered.
 *
 * | what happens                                    | the client gets          | the primary is told |
 * |-------------------------------------------------|--------------------------|---------------------|
 * | a server answers                                | its answer               | only where another was late |
 * | none has, one is late                           | 504                      | the name was missed |
 * | none has, the last one failed                   | 502                      | –                   |
 * | no lease: too many wait, or no turn came        | 503, with `Retry-After`  | the name was missed |
 *
 * A client that goes away before its turn, or before there is a connection, gives up its lease. A challenge that has been sent is
 * waited for all the same.
 */
import { describeError } from '../domain/errors.js';
import type { ServerName } from '../domain/server-name.js';
import type { Logger } from '../log/logger.js';
import type { ChallengeHead, ChallengeServers } from './challenge-servers.js';
import type { RequestContext } from './downstream/request-context.js';

/** Longer than a challenge waits for its lease. */
const RETRY_AFTER_SECONDS = 5;

/** The right to have one challenge at the manager, or why there is none. */
export type ChallengeLease = { readonly release: () => void } | { readonly refusal: string };

/** Who hands out leases: the primary, over the bus. */
export interface ChallengeDesk {
  /**
   * Waits for a lease: some seconds at most. Never rejects.
   *
   * @param client whose turn it is to be, an address.
   * @param signal gives up the place.
   */
  lease(client: string, signal: AbortSignal): Promise<ChallengeLease>;
  /** A challenge of this name could not be answered in time. */
  missed(name: ServerName): void;
}

export interface ChallengeParts {
  readonly desk: ChallengeDesk;
  readonly servers: ChallengeServers;
  readonly log: Logger;
}

/** @param name whose challenge it is; undefined: an address's, or no challenge. Never rejects. */
export async function forwardChallenge(
  context: RequestContext,
  head: ChallengeHead,
  name: ServerName | undefined,
  parts: ChallengeParts,
): Promise<void> {
  const { desk, servers, log } = parts;
  const { client, connection, host, url } = context;
  const { id } = client;
  const gone = new AbortController();
  client.onClose(() => gone.abort());
  const missed = (): void => {
    if (name !== undefined) desk.missed(name);
  };
  const lease = await desk.lease(connection.info.client.address, gone.signal);
  if ('refusal' in lease) {
    if (gone.signal.aborted) return;
    log.info('challenge not forwarded', { id, host, url, reason: lease.refusal });
    missed();
    client.refuse(503, { 'retry-after': String(RETRY_AFTER_SECONDS) });
    return;
  }
  const { answer, failure, isLate } = await servers.ask(head, gone.signal).finally(lease.release);
  if (isLate) missed();
  if (gone.signal.aborted) return;
  if (answer === undefined) {
    log.err('challenge not answered', { id, host, url, error: failure && describeError(failure) });
    client.refuse(isLate ? 504 : 502);
    return;
  }
  try {
    client.by = 'backend';
    client.head(answer.status, answer.statusMessage, answer.headers);
    if (answer.body.length > 0) client.write(answer.body);
    client.end([]);
  } catch (thrown) {
    // Node's HTTP/2 throws on header fields that it considers invalid.
    log.err('challenge not answered', { id, host, url, error: describeError(thrown) });
    client.refuse(502);
  }
}
