import { expect } from 'chai';
import { BUS_VERSION, isListenMessage, parseEnvelope } from '../../../lib/bus/messages.js';

describe('The bus messages', () => {
  const request = { bus: BUS_VERSION, kind: 'request', id: 1, op: 'status', params: {} };

  it('are taken as they are when they are of this version', () => {
    const messages = [
      request,
      { bus: BUS_VERSION, kind: 'result', id: 1, result: {} },
      { bus: BUS_VERSION, kind: 'error', id: 1, error: { code: 'ERR_INTERNAL', message: 'x' } },
    ];
    for (const message of messages) expect(parseEnvelope(message)).to.equal(message);
  });

  it('are foreign without a version, a known kind and a number', () => {
    const { bus, ...unversioned } = request;
    expect(bus).to.equal(BUS_VERSION);
    const foreign = [
      undefined,
      null,
      1,
      'request',
      {},
      unversioned,
      { ...request, kind: 'listen' },
      { ...request, kind: undefined },
      { ...request, id: '1' },
      { ...request, id: undefined },
    ];
    for (const message of foreign) expect(parseEnvelope(message)).to.deep.equal({ kind: 'foreign' });
  });

  it('of another version say so, and whether they want an answer', () => {
    for (const version of [0, BUS_VERSION + 1, '1', null]) {
      const reason = `the other end speaks bus version ${String(version)}, this one ${BUS_VERSION}`;
      expect(parseEnvelope({ ...request, bus: version })).to.deep.equal({
        kind: 'mismatch',
        id: 1,
        isRequest: true,
        reason,
      });
      expect(parseEnvelope({ ...request, kind: 'result', bus: version })).to.deep.equal({
        kind: 'mismatch',
        id: 1,
        isRequest: false,
        reason,
      });
    }
  });

  it('that carry a listening handle are told from all others', () => {
    expect(isListenMessage({ bus: BUS_VERSION, kind: 'listen', count: 1 })).to.equal(true);
    for (const other of [
      undefined,
      null,
      'listen',
      request,
      { bus: BUS_VERSION + 1, kind: 'listen', count: 1 },
    ]) {
      expect(isListenMessage(other)).to.equal(false);
    }
  });

  it('survive the JSON that cluster channels speak', () => {
    expect(parseEnvelope(JSON.parse(JSON.stringify(request)))).to.deep.equal(request);
  });
});
