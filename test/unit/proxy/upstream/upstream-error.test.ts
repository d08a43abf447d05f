import { expect } from 'chai';
import { ProxyError } from '../../../../lib/domain/errors.js';
import { requestHead } from '../../../../lib/proxy/upstream/http1/request-head.js';
import { UpstreamError } from '../../../../lib/proxy/upstream/upstream.js';

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (thrown) {
    return thrown;
  }
  return undefined;
}

describe('The failure of a request to a backend', () => {
  for (const [kind, code, origin] of [
    ['connect', 'ERR_BACKEND_CONNECT', 'backend'],
    ['timeout', 'ERR_BACKEND_TIMEOUT', 'backend'],
    ['broken', 'ERR_BACKEND_BROKEN', 'backend'],
    ['malformed', 'ERR_BACKEND_MALFORMED', 'backend'],
    ['invalid', 'ERR_REQUEST_INVALID', 'client'],
    ['aborted', 'ERR_REQUEST_ABORTED', 'client'],
  ] as const) {
    it(`has the code ${code}, and is the ${origin}’s`, () => {
      const error = new UpstreamError(kind, true, 'why');
      expect(error).to.be.instanceOf(ProxyError);
      expect(error).to.include({ kind, sent: true, code, origin, message: 'why', name: 'UpstreamError' });
    });
  }

  it('is the client’s where its request cannot be written, and nothing has been sent', () => {
    const request = {
      method: 'GE T',
      path: '/',
      host: 'a.test',
      headers: [],
      body: null,
    };
    expect(thrownBy(() => requestHead(request, ''))).to.include({ code: 'ERR_REQUEST_INVALID', sent: false });
  });

  it('is the backend’s where its answer is none', () => {
    const error = new UpstreamError('malformed', true, 'invalid status line');
    expect(error).to.include({ code: 'ERR_BACKEND_MALFORMED', sent: true, origin: 'backend' });
  });
});
