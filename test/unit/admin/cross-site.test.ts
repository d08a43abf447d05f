import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { isFromAnotherSite, type BrowserFields } from '../../../lib/admin/cross-site.js';

const RECORDINGS = new URL('../../fixtures/manager/http/', import.meta.url);

describe('requests that a page of another site has sent', () => {
  const cases: [title: string, fields: BrowserFields, authority: string | undefined, isForeign: boolean][] = [
    ['no field of a browser', {}, 'a.test', false],
    ['no field of a browser and no host', {}, undefined, false],
    ['an address that was typed', { 'sec-fetch-site': 'none' }, 'a.test', false],
    ['the same origin', { 'sec-fetch-site': 'same-origin' }, 'a.test', false],
    ['another host of the site', { 'sec-fetch-site': 'same-site' }, 'a.test', true],
    ['another site', { 'sec-fetch-site': 'cross-site' }, 'a.test', true],
    ['a word that is none', { 'sec-fetch-site': 'x' }, 'a.test', true],
    ['nothing', { 'sec-fetch-site': '' }, 'a.test', true],
    ['the field twice', { 'sec-fetch-site': 'same-origin, cross-site' }, 'a.test', true],
    ['its own Origin', { origin: 'https://a.test' }, 'a.test', false],
    ['its own Origin, of any case', { origin: 'https://A.test' }, 'a.TEST', false],
    ['its own Origin with a port', { origin: 'https://a.test:8443' }, 'a.test:8443', false],
    [
      'its own Origin, where the Host has the default port',
      { origin: 'https://a.test' },
      'a.test:443',
      false,
    ],
    ['its own Origin by address', { origin: 'https://[::1]:8443' }, '[0:0::1]:8443', false],
    ['another Origin', { origin: 'https://b.test' }, 'a.test', true],
    ['an Origin of another port', { origin: 'https://a.test:8443' }, 'a.test', true],
    ['a subdomain for an Origin', { origin: 'https://x.a.test' }, 'a.test', true],
    ['an Origin that begins alike', { origin: 'https://a.test.b.test' }, 'a.test', true],
    ['a secret Origin', { origin: 'null' }, 'a.test', true],
    ['an Origin without a host', { origin: 'file://' }, '', true],
    ['an Origin that is none', { origin: 'a.test' }, 'a.test', true],
    ['two Origins', { origin: 'https://a.test, https://b.test' }, 'a.test', true],
    ['an Origin and no host', { origin: 'https://a.test' }, undefined, true],
    ['fields that differ', { 'sec-fetch-site': 'same-origin', origin: 'https://b.test' }, 'a.test', true],
    [
      'fields that differ the other way',
      { 'sec-fetch-site': 'cross-site', origin: 'https://a.test' },
      'a.test',
      true,
    ],
    ['another page over plain HTTP', { referer: 'http://b.test/page' }, 'a.test', true],
    ['its own page over plain HTTP', { referer: 'http://a.test/page' }, 'a.test:80', false],
    [
      'a page that a better field tells of',
      { 'sec-fetch-site': 'none', referer: 'http://b.test/' },
      'a.test',
      false,
    ],
  ];
  for (const [title, fields, authority, isForeign] of cases) {
    it(`${isForeign ? 'are' : 'are not'} those with ${title}`, () => {
      expect(isFromAnotherSite(fields, authority)).to.equal(isForeign);
    });
  }

  it("are none of the manager's", () => {
    const recorded = readdirSync(RECORDINGS).filter((file) => /^pool-.*-wire.*\.json$/.test(file));
    expect(recorded).not.to.deep.equal([]);
    for (const file of recorded) {
      const { request } = JSON.parse(readFileSync(new URL(file, RECORDINGS), 'utf8')) as {
        request: { headers: Record<string, string> };
      };
      const fields = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]),
      );
      expect(isFromAnotherSite(fields, fields['host']), file).to.equal(false);
    }
  });
});
