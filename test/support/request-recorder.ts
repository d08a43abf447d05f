/**
 * What a client's requests have come to in the parser, told in a few words.
 */
import type { RequestHead } from '../../lib/proxy/downstream/http1/request-head.js';
import { RequestParser, type RequestListener } from '../../lib/proxy/downstream/http1/request-parser.js';
import { MalformedMessage } from '../../lib/proxy/http1/malformed.js';

export const MAX_HEAD_BYTES = 1_000;

/** One request. */
export interface ParsedRequest {
  readonly head: RequestHead;
  readonly body: string;
  /** Undefined: it is not whole. */
  readonly trailers: readonly string[] | undefined;
}

export interface Parsed {
  readonly requests: readonly ParsedRequest[];
  /** By request: how many octets there were to its end. */
  readonly ends: readonly number[];
  /** `malformed`, or what of it is too large. */
  readonly error: string | undefined;
  /** The beginning of another request has come. */
  readonly isWithin: boolean;
  /** How often a piece of a body was given. */
  readonly pieceCount: number;
}

interface Growing {
  head: RequestHead;
  body: string;
  trailers: readonly string[] | undefined;
}

class Recorder implements RequestListener {
  readonly requests: Growing[] = [];
  pieceCount = 0;

  onRequestHead(head: RequestHead): void {
    this.requests.push({ head, body: '', trailers: undefined });
  }

  onBodyPiece(piece: Buffer): void {
    const request = this.requests.at(-1);
    if (request === undefined || request.trailers !== undefined) throw new Error('a piece of no request');
    if (piece.length === 0) throw new Error('an empty piece');
    this.pieceCount += 1;
    request.body += piece.toString('latin1');
  }

  onRequestEnd(trailers: readonly string[]): void {
    const request = this.requests.at(-1);
    if (request === undefined || request.trailers !== undefined) throw new Error('an end of no request');
    request.trailers = trailers;
  }
}

/** Reads all requests of a connection whose bytes come in some pieces, until one is malformed. */
export function parseRequests(pieces: readonly string[], maxHeadBytes = MAX_HEAD_BYTES): Parsed {
  const recorder = new Recorder();
  const parser = new RequestParser(recorder, maxHeadBytes);
  const ends: number[] = [];
  let before = 0;
  let error: string | undefined;
  try {
    for (const piece of pieces) {
      const bytes = Buffer.from(piece, 'latin1');
      for (let at = 0; at < bytes.length;) {
        if (parser.isDone) parser.next();
        at = parser.read(bytes, at);
        if (parser.isDone) ends.push(before + at);
      }
      before += bytes.length;
      // Whose buffer it is will be written over.
      bytes.fill('?');
    }
  } catch (thrown) {
    if (!(thrown instanceof MalformedMessage)) throw thrown;
    error = thrown.excess ?? 'malformed';
  }
  const { requests, pieceCount } = recorder;
  return { requests, ends, error, isWithin: parser.isWithin, pieceCount };
}
