import { expect } from 'chai';
import { X509Certificate } from 'node:crypto';
import { examine } from '../../../lib/domain/examination.js';
import { covers } from '../../../lib/domain/covered-names.js';
import type { ServerName } from '../../../lib/domain/server-name.js';
import { oddCertificate, type OddOptions } from './odd-certificate.js';

const NOW_MS = Date.UTC(2026, 0, 1);

const CASES: readonly (readonly [certificate: OddOptions, name: string, isCovered: boolean])[] = [
  [{ names: ['a.test'] }, 'a.test', true],
  [{ names: ['A.Test'] }, 'a.test', true],
  [{ names: ['a.test'] }, 'www.a.test', false],
  [{ names: ['www.a.test'] }, 'a.test', false],
  [{ names: ['b.test', 'c.test', 'a.test'] }, 'a.test', true],
  [{ names: ['xn--bcher-kva.example.com'] }, 'xn--bcher-kva.example.com', true],
  [{ names: ['a_b.example.com'] }, 'a_b.example.com', true],
  [{ names: ['127.0.0.1'] }, 'a.test', false],
  // A host name that looks like an address covers none.
  [{ names: ['127.0.0.1'] }, '127.0.0.1', false],
  [{ names: ['*.0.0.1'] }, '127.0.0.1', false],
  [{ names: ['a.test.'] }, 'a.test', false],
  [{ names: ['a.test\0.evil.test'] }, 'a.test', false],

  // A wildcard covers one label, and a whole one.
  [{ names: ['*.example.com'] }, 'www.example.com', true],
  [{ names: ['*.Example.COM'] }, 'www.example.com', true],
  [{ names: ['*.example.com'] }, 'xn--bcher-kva.example.com', true],
  [{ names: ['*.example.com'] }, 'example.com', false],
  [{ names: ['*.example.com'] }, 'a.b.example.com', false],
  [{ names: ['*.example.com'] }, 'anexample.com', false],
  [{ names: ['*.*.example.com'] }, 'a.b.example.com', false],
  [{ names: ['*'] }, 'localhost', false],
  [{ names: ['*.com'] }, 'example.com', false],
  // Browsers take no star beside letters.
  [{ names: ['w*.example.com'] }, 'www.example.com', false],
  [{ names: ['*w.example.com'] }, 'www.example.com', false],
  [{ names: ['www.*.com'] }, 'www.example.com', false],
  // OpenSSL by itself lets no wildcard cover an underscore; browsers and nginx do.
  [{ names: ['*.example.com'] }, 'a_b.example.com', true],
  [{ names: ['*.example.com'] }, '_b.example.com', true],
  [{ names: ['*.example.com'] }, 'a_b.c.example.com', false],
  [{ names: ['*.example.com'] }, 'c.a_b.example.com', false],
  [{ names: ['w*.example.com'] }, 'w_b.example.com', false],

  // A wildcard that is asked for must be in the certificate itself.
  [{ names: ['*.example.com'] }, '*.example.com', true],
  [{ names: ['www.example.com', 'any.example.com', '*.Example.com'] }, '*.example.com', true],
  [{ names: ['any.example.com'] }, '*.example.com', false],
  [{ names: ['any-label-below-a-wildcard.example.com'] }, '*.example.com', false],
  [{ names: ['example.com'] }, '*.example.com', false],
  [{ names: ['*.b.example.com'] }, '*.example.com', false],
  [{ names: ['*.example.com'] }, '*.b.example.com', false],
  [{ names: ['a*.example.com'] }, '*.example.com', false],

  // The common name counts where there are no alternative names, and only there.
  [{ commonName: 'a.test' }, 'a.test', true],
  [{ commonName: 'a.test' }, 'b.test', false],
  [{ commonName: '*.example.com' }, 'www.example.com', true],
  [{ commonName: '*.example.com' }, '*.example.com', true],
  [{ commonName: 'a.test', names: ['b.test'] }, 'a.test', false],
  [{ commonName: 'a.test', names: ['b.test'] }, 'b.test', true],
  [{}, 'a.test', false],
];

describe('covers', () => {
  for (const [options, name, isCovered] of CASES) {
    const { commonName, names } = options;
    const described = [
      ...(commonName === undefined ? [] : [`the subject ${commonName}`]),
      ...(names === undefined ? [] : [`the names ${names.map((text) => JSON.stringify(text)).join(', ')}`]),
    ].join(' and ');
    it(`${name} is ${isCovered ? '' : 'not '}covered by a certificate with ${described || 'no name'}`, () => {
      const pair = oddCertificate(options);
      expect(covers(new X509Certificate(pair.chainPem), name as ServerName)).to.equal(isCovered);
      expect(examine([pair], name as ServerName, NOW_MS).kind).to.equal(isCovered ? 'usable' : 'unusable');
    });
  }
});
