/**
 * Tells the channel of requests of those that have ended.
 */
import { channels, sinceEpoch } from '../channels/channels.js';
import type { BackendPart } from '../channels/messages.js';
import { EndedRequest, refusedEntry, type AccessEntry } from '../proxy/access-log/entries.js';
import type { Answerer } from '../proxy/downstream/response-writer.js';
import type { Http1Observer } from '../proxy/downstream/http1/server.js';
import { RequestTrace } from '../proxy/downstream/request-trace.js';
import { joinedValues } from '../proxy/headers/fields.js';

/** An observer that publishes requests while somebody listens, and lets another one see them all. */
export function publishing(next: Http1Observer): Http1Observer {
  return {
    follow: (context) => {
      next.follow(context);
      if (!channels.request.hasSubscribers) return;
      context.trace = new RequestTrace(true);
      context.client.onClose(() => {
        const traceparent = joinedValues(context.headers, 'traceparent');
        publish(new EndedRequest(context, Date.now()), context.client.by, traceparent);
      });
    },
    noteRefusal: (connection, refusal) => {
      next.noteRefusal(connection, refusal);
      if (channels.request.hasSubscribers) publish(refusedEntry(connection, refusal, Date.now()), 'proxy');
    },
  };
}

function publish(entry: AccessEntry, answeredBy: Answerer, traceparent?: string): void {
  const { id, info, httpVersion, method, host, target, status, timeout, trace } = entry;
  const { durationMs: tookMs } = entry;
  channels.request.publish({
    id,
    ...(info.handshake !== undefined && { handshake: info.handshake }),
    client: info.client.address,
    scheme: entry.tls === undefined ? 'http' : 'https',
    ...(httpVersion !== undefined && { httpVersion }),
    ...(method !== undefined && { method }),
    ...(host !== undefined && { host }),
    ...(target !== undefined && { target }),
    ...(traceparent !== undefined && { traceparent }),
    startedAtMs: sinceEpoch(performance.now() - tookMs),
    tookMs,
    status,
    sentBytes: entry.bytes,
    receivedBytes: entry.received,
    isCut: entry.isCut,
    ...(timeout !== undefined && { timeout }),
    answeredBy,
    ...(trace?.backend !== undefined && { passedOn: passedOn(trace, trace.backend) }),
  });
}

function passedOn({ attempts, status, headMs }: RequestTrace, backend: string): BackendPart {
  return {
    backend,
    attempts,
    ...(status !== undefined && { status }),
    ...(headMs !== undefined && { headMs }),
  };
}
