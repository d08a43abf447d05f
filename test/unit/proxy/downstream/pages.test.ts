import { expect } from 'chai';
import { errorPage, informationPage, type ConnectionFacts } from '../../../../lib/proxy/downstream/pages.js';

const facts: ConnectionFacts = {
  serverName: 'a.test',
  tier: 'lru',
  subject: 'CN=<script>alert("1")</script> & co',
  issuer: 'CN=Test Root',
  notAfter: 'Jan  1 00:00:00 2090 GMT',
  fingerprint: 'AB:CD',
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  alpn: 'h2',
  worker: 'worker 1, process 42',
};

describe('The error pages', () => {
  const cases = [
    [400, 'Bad Request'],
    [408, 'Request Timeout'],
    [431, 'Request Header Fields Too Large'],
    [502, 'Bad Gateway'],
    [503, 'Service Unavailable'],
    [504, 'Gateway Timeout'],
  ] as const;
  for (const [status, text] of cases) {
    it(`${status} is a line of plain text that says no more than that`, () => {
      expect(errorPage(status)).to.deep.equal({
        ...{ status, contentType: 'text/plain; charset=utf-8', body: `${status} ${text}\n` },
      });
    });
  }
});

describe('The error pages for browsers', () => {
  it('have the status as title and heading, the id of the request, and ask for nothing elsewhere', () => {
    const negotiated = ['TLSv1.3', 'TLS_AES_128_GCM_SHA256', 'h2'];
    const { contentType, body } = errorPage(502, { id: '<1>', accept: 'text/html', negotiated });
    expect(contentType).to.equal('text/html; charset=utf-8');
    expect(body).to.include('<title>502 Bad Gateway</title>').and.to.include('<h1>502 Bad Gateway</h1>');
    expect(body).to.include('Request &lt;1&gt;');
    expect(body).to.include('<p>TLSv1.3, TLS_AES_128_GCM_SHA256, h2</p>');
    expect(body).not.to.match(/src=|href=|url\(|<script/);
  });
});

describe('The information page', () => {
  for (const accept of [undefined, '*/*', 'application/json', 'text/plain']) {
    it(`is plain text for Accept: ${String(accept)}`, () => {
      const { status, contentType, body } = informationPage(facts, accept);
      expect({ status, contentType }).to.deep.equal({
        ...{ status: 200, contentType: 'text/plain; charset=utf-8' },
      });
      for (const fact of Object.values(facts)) expect(body).to.include(`  ${String(fact)}\n`);
    });
  }

  it('is HTML for a browser, with everything that came from outside escaped', () => {
    const { contentType, body } = informationPage(facts, 'text/html,application/xhtml+xml,*/*;q=0.8');
    expect(contentType).to.equal('text/html; charset=utf-8');
    expect(body).to.include('CN=&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; co');
    expect(body).not.to.include('<script');
    for (const fact of [
      'a.test',
      'lru',
      facts.notAfter,
      facts.cipher,
      'h2',
      facts.fingerprint,
      facts.worker,
    ]) {
      expect(body).to.include(`<td>${fact}</td>`);
    }
  });

  it('says that there was no name', () => {
    expect(informationPage({ ...facts, serverName: undefined }, undefined).body).to.include('(none)\n');
  });

  it('says that no protocol was chosen by ALPN', () => {
    expect(informationPage({ ...facts, alpn: undefined }, undefined).body).to.match(/^ALPN +\(none\)$/m);
  });
});
