import type { TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { SocketTlsFacts } from '../../../../lib/proxy/downstream/tls-facts.js';

/** What Node's socket has, as far as it is asked. Asking one that is gone may bring the process down. */
function socketWith(state: { destroyed: boolean }): TLSSocket {
  const answer =
    <T>(value: T) =>
    (): T => {
      if (state.destroyed) throw new Error('a socket that is gone was asked');
      return value;
    };
  const socket = {
    get destroyed() {
      return state.destroyed;
    },
    getProtocol: answer('TLSv1.3'),
    getCipher: answer({ standardName: 'TLS_AES_128_GCM_SHA256' }),
    isSessionReused: answer(false),
    getX509Certificate: answer(undefined),
  };
  return socket as unknown as TLSSocket;
}

describe('What is known of TLS', () => {
  it('is kept when the connection has gone, as far as it was read before', () => {
    const state = { destroyed: false };
    const facts = new SocketTlsFacts(socketWith(state));
    expect(facts.protocol).to.equal('TLSv1.3');
    state.destroyed = true;
    expect([facts.protocol, facts.cipher, facts.isResumed]).to.deep.equal(['TLSv1.3', undefined, undefined]);
  });

  it('is not asked of a connection that has gone', () => {
    const facts = new SocketTlsFacts(socketWith({ destroyed: true }));
    const { protocol, cipher, isResumed, certificate, fingerprint, keyType } = facts;
    expect([protocol, cipher, isResumed, certificate, fingerprint, keyType]).to.deep.equal(
      Array.from({ length: 6 }, () => undefined),
    );
  });
});
