/**
 * How a response is written on HTTP/2.
 */
import { constants, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { CommonResponseWriter, type ResponseWriter } from './response-writer.js';
import { checkSize, responseFields } from './http2-response-fields.js';
import { responseHeaders } from '../headers/headers.js';

export class Http2ResponseWriter
  extends CommonResponseWriter<Http2ServerRequest, Http2ServerResponse>
  implements ResponseWriter
{
  inform(status: number, headers: readonly string[]): void {
    const { stream } = this.response;
    if (status === 103 && !this.headersSent && !stream.destroyed) {
      const fields = Object.assign(responseFields(status, responseHeaders(headers)), { ':status': status });
      stream.additionalHeaders(fields);
    }
  }

  head(status: number, _statusMessage: string | undefined, headers: readonly string[], isAll = false): void {
    const { stream } = this.response;
    const fields = responseFields(status, headers);
    if (!isAll) this.response.writeHead(status, fields);
    else if (!stream.destroyed) stream.respond({ ':status': status, ...fields }, { endStream: true });
  }

  flush(): void {
    // On HTTP/2 a head goes out at once.
  }

  override end(trailers: readonly string[]): void {
    checkSize(trailers);
    super.end(trailers);
    this.#stopUpload(trailers.length > 0 ? 'wantTrailers' : 'finish');
  }

  cut(): void {
    // `close` would end the stream first: a body without a length would look whole.
    this.response.stream.destroy(new Error('the response is cut'));
  }

  endAfterResponse(): void {
    this.request.resume();
    this.#stopUpload('finish');
  }

  /** Once the response is out, a client that still sends its request is told to stop (RFC 9113 §8.1). */
  #stopUpload(lastEvent: 'finish' | 'wantTrailers'): void {
    const { stream } = this.response;
    const isDone = (): boolean =>
      stream.endAfterHeaders || this.request.readableEnded || stream.destroyed || stream.closed;
    if (isDone()) return;
    stream.once(lastEvent, () => {
      // Wait until what was written has gone out.
      setImmediate(() => {
        if (!isDone()) stream.close(constants.NGHTTP2_NO_ERROR);
      });
    });
  }

  onClose(listener: () => void): void {
    this.response.stream.on('close', listener);
  }
}
