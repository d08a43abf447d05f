import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import type { CertificateBundle } from '../../../lib/domain/certificate.js';
import { buildContext } from '../../../lib/tls/secure-context.js';
import { SessionTickets, TICKET_KEY_BYTES } from '../../../lib/tls/session-tickets.js';
import { makeTestCa } from '../../support/certificates.js';
import { bundleOf, serveContexts, VERSIONS, visit, type ContextServer } from './context-server.js';

const newKey = (): Buffer => randomBytes(TICKET_KEY_BYTES);

describe('Session tickets', () => {
  let server: ContextServer;
  let bundle: CertificateBundle;

  before(async () => {
    server = await serveContexts();
    bundle = bundleOf(await (await makeTestCa()).issue(['a.test']));
  });
  after(() => server.close());

  for (const version of VERSIONS) {
    describe(`of ${version}`, () => {
      it('last a client that uses each once for ever, over two workers and a change of keys in each', async () => {
        const keys = [newKey()];
        const workers = [new SessionTickets(keys), new SessionTickets(keys)];
        const contexts = workers.map((tickets) => buildContext(bundle, tickets));
        server.use(contexts[0]!);
        let unused = [...(await visit(server.port, version)).sessions];
        const reused: boolean[] = [];
        for (let i = 0; i < 12; i++) {
          if (i === 6) {
            keys.unshift(newKey());
            for (const tickets of workers) tickets.take(keys);
          }
          server.use(contexts[i % 2]!);
          const next = await visit(server.port, version, unused.shift());
          unused = [...unused, ...next.sessions];
          reused.push(next.reused);
        }
        expect(reused).to.deep.equal(reused.map(() => true));
      });

      it('are taken of every key that is given, and of no other', async () => {
        const [first, second, third] = [newKey(), newKey(), newKey()] as const;
        const tickets = new SessionTickets([first]);
        server.use(buildContext(bundle, tickets));
        const { sessions } = await visit(server.port, version);
        tickets.take([second, first]);
        expect((await visit(server.port, version, sessions[0])).reused).to.equal(true);
        tickets.take([third, second]);
        expect((await visit(server.port, version, sessions[0])).reused).to.equal(false);
      });

      it('are sealed with the newest key', async () => {
        const [old, next] = [newKey(), newKey()] as const;
        const tickets = new SessionTickets([old]);
        server.use(buildContext(bundle, tickets));
        const before = await visit(server.port, version);
        tickets.take([next, old]);
        const renewed = await visit(server.port, version, before.sessions[0]);
        const full = await visit(server.port, version);
        // A context that has the new key alone.
        server.use(buildContext(bundle, new SessionTickets([next])));
        for (const { sessions } of [renewed, full]) {
          expect((await visit(server.port, version, sessions[0])).reused).to.equal(true);
        }
        expect((await visit(server.port, version, before.sessions[0])).reused).to.equal(false);
      });
    });
  }

  it('never have the same initialisation vector twice', () => {
    const tickets = new SessionTickets([newKey()]);
    const context = buildContext(bundle, tickets).context as {
      onticketkeycallback(name: Buffer, vector: Buffer, isNew: true): readonly [number, ...Buffer[]];
    };
    const vectors = Array.from({ length: 1_000 }, () => {
      const [, , , , vector] = context.onticketkeycallback(Buffer.alloc(0), Buffer.alloc(0), true);
      return vector?.toString('hex');
    });
    expect(new Set(vectors).size).to.equal(1_000);
  });

  for (const [what, keys] of [
    ['no key', []],
    ['a key of 47 bytes', [Buffer.alloc(47)]],
    ['a second key of 49 bytes', [newKey(), Buffer.alloc(49)]],
  ] as const) {
    it(`are not made with ${what}: the keys stay as they were`, async () => {
      const tickets = new SessionTickets([newKey()]);
      server.use(buildContext(bundle, tickets));
      const { sessions } = await visit(server.port, 'TLSv1.3');
      expect(() => tickets.take(keys)).to.throw(RangeError);
      expect((await visit(server.port, 'TLSv1.3', sessions[0])).reused).to.equal(true);
      expect(() => new SessionTickets(keys)).to.throw(RangeError);
    });
  }
});
