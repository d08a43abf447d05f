/**
 * A client's request and its response, as Node has them.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';

/** Node's HTTP/2 compatibility API has the same shape; what differs is in `http1-response-writer.ts` and `http2-response-writer.ts`. */
export type ClientRequest = IncomingMessage | Http2ServerRequest;
export type ClientResponse = ServerResponse | Http2ServerResponse;
