/**
 * The lines of a look-up tell the handshake that has started it.
 */
import { expect } from 'chai';
import type { Lookup } from '../../../lib/domain/lookup.js';
import { ABSENT, found } from '../../support/fake-source.js';
import { issue, openStage } from './stage.js';

const HALF_AN_ENTRY: Lookup = { kind: 'unavailable', reason: 'c:7 is missing', scope: 'name' };

describe('The id of a handshake', () => {
  it('stands in the line for what its look-up comes to', async () => {
    const answers: [string, Lookup][] = [
      ['certificate found', found(await issue())],
      ['no certificate', ABSENT],
      ['no source could tell', HALF_AN_ENTRY],
    ];
    for (const [message, lookup] of answers) {
      const { resolve, redis, lines } = openStage();
      redis.answer(lookup);
      await resolve({ handshake: '2-1k3' });
      const line = lines.find((one) => one.message === message);
      expect(line?.fields, message).to.include({ handshake: '2-1k3' });
    }
  });

  it('is that of the handshake which has started the look-up, not of those that have joined it', async () => {
    const { resolve, redis, lines } = openStage();
    const held = redis.hold();
    const waiting = [resolve({ handshake: '1-a' }), resolve({ handshake: '1-b' })];
    held.resolve(found(await issue()));
    await Promise.all(waiting);
    expect(lines.map(({ fields }) => fields['handshake'])).to.deep.equal(['1-a']);
  });

  it('goes on to the sources, for their lines of orders', async () => {
    const { resolve, manager } = openStage();
    await resolve({ handshake: '1-a' });
    expect(manager.contexts.map(({ handshake }) => handshake)).to.deep.equal(['1-a']);
  });

  it('is left out where no handshake asks', async () => {
    const { resolve, manager, lines } = openStage();
    await resolve();
    expect(lines).to.have.length(1);
    expect(lines[0]?.fields).not.to.have.property('handshake');
    expect(manager.contexts[0]).not.to.have.property('handshake');
  });

  it('stands where a certificate that a worker could not build is dropped, and one is complained about', async () => {
    const { resolve, redis, lines } = openStage();
    redis.answer(found(await issue()));
    const first = await resolve({ handshake: '1-a' });
    if (first.kind !== 'found') throw new Error(first.kind);
    const refused = { fingerprint: first.certificate.fingerprint, reason: 'weak' };
    await resolve({ handshake: '1-b', refused });
    expect(
      lines.filter(({ level }) => level === 'err').map(({ fields }) => fields['handshake']),
    ).to.deep.equal(['1-b', '1-b']);
  });
});
