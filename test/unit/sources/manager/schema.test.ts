import { expect } from 'chai';
import type { ServerName } from '../../../../lib/domain/server-name.js';
import { CERT_PREFERENCES } from '../../../../lib/config/flags.js';
import {
  interpretOrder,
  interpretQuery,
  type ManagerAnswer,
  type OrderVerdict,
  type QueryVerdict,
} from '../../../../lib/sources/manager/schema.js';
import { formError, MANAGER_SHAPES } from '../../../support/manager-generations.js';
import { summarise } from './query-summary.js';

const NAME = 'fresh.example.com' as ServerName;
const PATH = `/.well-known/peter_sslers/domain/${NAME}/config.json`;

const json = (body: unknown, status = 200): ManagerAnswer => ({
  status,
  contentType: 'application/json',
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
const query = (answer: ManagerAnswer, preferences: readonly string[] = CERT_PREFERENCES): QueryVerdict =>
  interpretQuery(answer, NAME, PATH, preferences);
const certificate = (tag: string): Record<string, { id: string; pem: string }> => ({
  private_key: { id: '1', pem: `-----BEGIN PRIVATE KEY-----\nsecret-${tag}\n-----END PRIVATE KEY-----\n` },
  certificate: { id: '1', pem: `-----BEGIN CERTIFICATE-----\nleaf-${tag}\n-----END CERTIFICATE-----\n` },
  chain: { id: '1', pem: `-----BEGIN CERTIFICATE-----\nca-${tag}\n-----END CERTIFICATE-----\n` },
  fullchain: {
    id: '1,1',
    pem: `-----BEGIN CERTIFICATE-----\nleaf-${tag}\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nca-${tag}\n-----END CERTIFICATE-----\n`,
  },
});
const about = (slots: object, name: string = NAME): object => ({
  Domain: { id: '1', domain_name: name },
  ...slots,
});
/** Which certificates were found, in order. */
const tags = ({ lookup }: QueryVerdict): string[] =>
  lookup.kind === 'found' ? lookup.candidates.map(([pair]) => /leaf-(\S+)/.exec(pair!.chainPem)![1]!) : [];
const reasonOf = ({ lookup }: QueryVerdict): string => ('reason' in lookup ? lookup.reason : '');

describe('manager-schema', () => {
  describe('candidates', () => {
    const slots = {
      server_certificate__latest_single: certificate('old-single'),
      certificate_signed__latest_single: certificate('mid-single'),
      certificate_signed__latest_multi: certificate('mid-multi'),
      x509_certificate__latest_single: certificate('new-single'),
      x509_certificate__latest_multi: certificate('new-multi'),
      server_certificate__latest_multi: certificate('old-multi'),
    };
    it('come newest generation first, multi before single, whatever the order in the answer', () => {
      expect(tags(query(json(about(slots))))).to.deep.equal([
        'new-multi',
        'new-single',
        'mid-multi',
        'mid-single',
        'old-multi',
        'old-single',
      ]);
    });
    it('come in the order of the preferences, and an unlisted key is never used', () => {
      const preferences = ['x509_certificate__latest_single', 'server_certificate__latest_multi'];
      expect(tags(query(json(about(slots)), preferences))).to.deep.equal(['new-single', 'old-multi']);
    });
    for (const [version, { domainKey, keyOf, domainExtras }] of Object.entries(MANAGER_SHAPES)) {
      const answer = (single: unknown): ManagerAnswer =>
        json({
          [domainKey]: { id: '1', domain_name: NAME, ...domainExtras },
          [keyOf.single]: single,
          [keyOf.multi]: null,
        });
      it(`are found in the answer of ${version}, and its nulls are absent`, () => {
        expect(tags(query(answer(certificate('it'))))).to.deep.equal(['it']);
        expect(summarise(query(answer(null)))).to.equal('absent, order: yes');
      });
    }
    const unsaid: [string, object][] = [
      ['nothing of its domain', {}],
      ['null for its domain', { Domain: null }],
      ['a domain without a name', { domain: { id: '1' } }],
      ['a domain whose name is a number', { Domain: { domain_name: 7 } }],
      ['a domain that is text', { domain: 'b.test' }],
      ['a domain that is a list', { Domain: ['b.test'] }],
    ];
    for (const [what, domain] of unsaid) {
      it(`are taken from an answer that says ${what}: they are examined in any case`, () => {
        const slots = { x509_certificate__latest_single: certificate('it') };
        expect(tags(query(json({ ...domain, ...slots })))).to.deep.equal(['it']);
        const none = { x509_certificate__latest_single: null };
        expect(summarise(query(json({ ...domain, ...none })))).to.equal('absent, order: yes');
      });
    }
    it('are found beside keys that nobody knows', () => {
      const answer = about({
        future: { pem: 'x' },
        constructor: 'x',
        x509_certificate__latest_single: certificate('it'),
      });
      expect(tags(query(json(answer)))).to.deep.equal(['it']);
    });
    it('the name is absent when only an unlisted key has a certificate', () => {
      const answer = about({
        x509_certificate__latest_single: certificate('it'),
        x509_certificate__latest_multi: null,
      });
      expect(query(json(answer), ['x509_certificate__latest_multi']).lookup.kind).to.equal('absent');
    });
    it('the chain is put together from certificate and chain where there is no fullchain', () => {
      const { fullchain, ...parts } = certificate('it');
      const { lookup } = query(json(about({ x509_certificate__latest_single: parts })));
      expect(lookup.kind === 'found' && lookup.candidates[0]?.[0]?.chainPem).to.equal(fullchain?.pem);
    });
    it('one half-filled candidate does not spoil the other', () => {
      const answer = about({
        x509_certificate__latest_multi: { ...certificate('half'), private_key: null },
        x509_certificate__latest_single: certificate('whole'),
      });
      expect(tags(query(json(answer)))).to.deep.equal(['whole']);
    });
    it('the domain of the answer is compared without regard to case', () => {
      const answer = about({ x509_certificate__latest_single: certificate('it') }, 'Fresh.Example.COM');
      expect(tags(query(json(answer)))).to.deep.equal(['it']);
    });
  });

  describe('an answer to a query that is no verdict is unavailable', () => {
    const whole = JSON.stringify(about({ x509_certificate__latest_single: certificate('it') }));
    const withSlot = (value: unknown): ManagerAnswer =>
      json(about({ x509_certificate__latest_single: value }));
    const html = (status: number): ManagerAnswer => ({
      status,
      contentType: 'text/html',
      body: '<h1>No</h1>',
    });
    const cases: [string, ManagerAnswer, 'source' | 'name', RegExp][] = [
      ['truncated JSON', json(whole.slice(0, 200)), 'source', /broken JSON/],
      ['an empty body', json(''), 'source', /broken JSON/],
      ['HTML under 200', html(200), 'source', /text\/html/],
      ['null', json('null'), 'source', /not an object/],
      ['an array', json('[]'), 'source', /not an object/],
      ['a number', json('7'), 'source', /not an object/],
      ['an empty object', json({}), 'source', /keys seen: none/],
      ['a domain that is null', json({ Domain: null, domain: null }), 'source', /keys seen: none/],
      ...['Domain', 'domain'].map((key): [string, ManagerAnswer, 'name', RegExp] => [
        `another domain under ${key}`,
        json({ [key]: { domain_name: 'b.test' }, x509_certificate__latest_single: certificate('x') }),
        'name',
        /b\.test/,
      ]),
      [
        'another domain beside the right one',
        json({ ...about({ x509_certificate__latest_single: null }), domain: { domain_name: 'b.test' } }),
        'name',
        /b\.test/,
      ],
      [
        'none of the keys',
        json(about({ future__latest: null })),
        'source',
        /--cert-preferences.*future__latest/,
      ],
      ['keys of the prototype', json(about({})), 'source', /keys seen: none/],
      ['a certificate that is text', withSlot('PEM'), 'name', /is not an object/],
      ['a certificate that is an array', withSlot([]), 'name', /is not an object/],
      [
        'a key that is a number',
        withSlot({ ...certificate('x'), private_key: { pem: 1 } }),
        'name',
        /no private key/,
      ],
      [
        'a key that is empty',
        withSlot({ ...certificate('x'), private_key: { pem: '' } }),
        'name',
        /no private key/,
      ],
      [
        'no chain of either kind',
        withSlot({ private_key: certificate('x')['private_key'] }),
        'name',
        /no certificate/,
      ],
      [
        'a chain that is a number',
        withSlot({ ...certificate('x'), fullchain: null, chain: { pem: 1 } }),
        'name',
        /no chain/,
      ],
      ['404 in HTML', html(404), 'source', /prefix is probably wrong/],
      ['404 with an array', json('[]', 404), 'source', /prefix is probably wrong/],
      [
        '404 with another message',
        json({ message: 'gone fishing' }, 404),
        'source',
        /prefix .* probably wrong/,
      ],
      [
        '404 that quotes the path',
        json({ message: `not here: ${PATH}` }, 404),
        'source',
        /for the path itself/,
      ],
      ['404 whose message is a number', json({ message: 4 }, 404), 'source', /prefix .* probably wrong/],
      ['500 in HTML', html(500), 'name', /500/],
      ['500 in JSON', json({}, 500), 'name', /500/],
      ['502', html(502), 'source', /502/],
      ['503', html(503), 'source', /503/],
      ['504', html(504), 'source', /504/],
      ['401', html(401), 'source', /401.*credentials/],
      ['403', html(403), 'source', /403/],
      ['302', html(302), 'source', /302.*redirects are not followed/],
      ['204', html(204), 'source', /204/],
      ['418', html(418), 'source', /418/],
    ];
    for (const [what, answer, scope, reason] of cases) {
      it(`${what} (scope ${scope})`, () => {
        const verdict = query(answer);
        expect(summarise(verdict)).to.equal(`unavailable (${scope}), order: no`);
        expect(reasonOf(verdict)).to.match(reason);
        expect(reasonOf(verdict)).to.not.match(/secret|PRIVATE KEY/);
      });
    }
    it('a preference called like a member of every object does not find it', () => {
      expect(query(json(about({})), ['constructor', '__proto__']).lookup.kind).to.equal('unavailable');
    });
    it('the plain-text 500 may be followed by an order, unless a certificate is known', () => {
      const verdict = query({
        status: 500,
        contentType: 'text/plain; charset=utf-8',
        body: 'Internal Server Error',
      });
      expect(summarise(verdict)).to.equal('unavailable (name), order: unless-known');
    });
  });

  describe('an answer to an order', () => {
    const order = (answer: ManagerAnswer): OrderVerdict => interpretOrder(answer, NAME, CERT_PREFERENCES);
    const nulls = { x509_certificate__latest_single: null, x509_certificate__latest_multi: null };
    const cases: [string, ManagerAnswer, OrderVerdict][] = [
      [
        'an invalid order with nulls and no error is refused with its notes',
        json({ ...about(nulls), result: 'error', notes: 'new AcmeOrder, invalid', AcmeOrder: { id: 3 } }),
        { kind: 'refused', message: 'new AcmeOrder, invalid' },
      ],
      [
        'an invalid order that calls itself a success is refused all the same',
        json({ ...about(nulls), result: 'success', notes: 'new AcmeOrder, invalid' }),
        { kind: 'refused', message: 'new AcmeOrder, invalid' },
      ],
      [
        'an error without a word is refused',
        json({ result: 'error' }),
        { kind: 'refused', message: 'no reason given' },
      ],
      [
        'key material in the words of the manager is left out',
        json({ result: 'error', error: `no: ${certificate('x')['private_key']!.pem} sorry` }),
        { kind: 'refused', message: 'no: [PEM left out] sorry' },
      ],
      [
        'line ends in the words of the manager do not reach the log',
        json(formError('first\nsecond\u001b[31m')),
        { kind: 'refused', message: 'first second [31m' },
      ],
      [
        'a certificate of another domain is a failure',
        json({
          ...about({ x509_certificate__latest_single: certificate('x') }, 'b.test'),
          result: 'success',
        }),
        { kind: 'failed', reason: 'it answered for another domain (b.test)' },
      ],
      [
        'HTML is a failure',
        { status: 200, contentType: 'text/html', body: '<p>' },
        { kind: 'failed', reason: 'it answered 200 with text/html' },
      ],
      [
        '503 is a failure',
        { status: 503, contentType: '', body: '' },
        { kind: 'failed', reason: 'it answered 503' },
      ],
      [
        'a body of null is a failure',
        json('null'),
        { kind: 'failed', reason: 'it answered with JSON that is not an object' },
      ],
    ];
    for (const [title, answer, expected] of cases) {
      it(title, () => expect(order(answer)).to.deep.equal(expected));
    }
    it('a very long refusal is cut', () => {
      const verdict = order(json({ result: 'error', error: 'no '.repeat(10_000) }));
      expect(verdict.kind === 'refused' && verdict.message.length).to.be.lessThan(400);
    });
  });
});
