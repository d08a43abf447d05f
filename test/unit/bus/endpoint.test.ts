import { once } from 'node:events';
import { expect } from 'chai';
import { BusEndpoint, type Handlers } from '../../../lib/bus/endpoint.js';
import { BUS_VERSION } from '../../../lib/bus/messages.js';
import { defer } from '../../../lib/base/deferred.js';
import { ProxyError } from '../../../lib/domain/errors.js';
import { closeChannels, failureOf, openChannel, pair, portOf, type Calc } from './channel.js';

const LONG_MS = 10_000;
const SHORT_MS = 20;

function handlers(over: Partial<Handlers<Calc>> = {}): Handlers<Calc> {
  return {
    add: ({ a, b }) => ({ sum: a + b }),
    wait: ({ label }) => ({ label }),
    fail: () => {
      throw new ProxyError('ERR_USAGE', 'no such thing');
    },
    ...over,
  };
}

describe('The bus endpoint', () => {
  afterEach(closeChannels);

  it('answers each request with its own result, in whatever order they come', async () => {
    const first = defer<void>();
    const { caller } = pair(
      handlers({
        wait: async ({ label }) => {
          if (label === 'first') await first.promise;
          return { label };
        },
      }),
    );
    const slow = caller.call('wait', { label: 'first' }, LONG_MS);
    const quick = await caller.call('wait', { label: 'second' }, LONG_MS);
    first.resolve();
    expect(quick).to.deep.equal({ label: 'second' });
    expect(await slow).to.deep.equal({ label: 'first' });
    expect(await caller.call('add', { a: 2, b: 3 }, LONG_MS)).to.deep.equal({ sum: 5 });
    expect(caller.inFlight).to.equal(0);
  });

  it('gives a request up at its deadline, and drops the answer that comes later', async () => {
    const late = defer<void>();
    const { caller } = pair(
      handlers({
        wait: async ({ label }) => {
          await late.promise;
          return { label };
        },
      }),
    );
    const failure = await failureOf(caller.call('wait', { label: 'x' }, SHORT_MS));
    expect(failure).to.deep.equal({ code: 'ERR_BUS_DEADLINE', message: 'wait: no answer within 20 ms' });
    expect(caller.inFlight).to.equal(0);
    late.resolve();
    // The late answer has come before this one: messages keep their order.
    expect(await caller.call('add', { a: 1, b: 1 }, LONG_MS)).to.deep.equal({ sum: 2 });
  });

  it('refuses one request more than may be under way, at once and without sending it', async () => {
    const served: string[] = [];
    const release = defer<void>();
    const { caller } = pair(
      handlers({
        wait: async ({ label }) => {
          served.push(label);
          await release.promise;
          return { label };
        },
      }),
      { maxInFlight: 2 },
    );
    const under = [
      caller.call('wait', { label: 'a' }, LONG_MS),
      caller.call('wait', { label: 'b' }, LONG_MS),
    ];
    const failure = await failureOf(caller.call('wait', { label: 'c' }, LONG_MS));
    expect(failure).to.deep.equal({
      code: 'ERR_BUS_BUSY',
      message: 'wait: 2 requests are under way already',
    });
    release.resolve();
    await Promise.all(under);
    expect(await caller.call('wait', { label: 'd' }, LONG_MS)).to.deep.equal({ label: 'd' });
    expect(served).to.deep.equal(['a', 'b', 'd']);
  });

  it('frees the place of a request that was given up', async () => {
    const { caller } = pair(handlers({ wait: () => new Promise(() => undefined) }), { maxInFlight: 1 });
    await failureOf(caller.call('wait', { label: 'a' }, SHORT_MS));
    expect(await caller.call('add', { a: 1, b: 2 }, LONG_MS)).to.deep.equal({ sum: 3 });
  });

  it('carries the code and the message of an error, and nothing else of it', async () => {
    const { caller, ports } = pair(handlers());
    const answer = once(ports.caller, 'message');
    expect(await failureOf(caller.call('fail', {}, LONG_MS))).to.deep.equal({
      code: 'ERR_USAGE',
      message: 'no such thing',
    });
    const [wire] = (await answer) as [unknown];
    expect(wire).to.deep.equal({
      bus: BUS_VERSION,
      kind: 'error',
      id: 1,
      error: { code: 'ERR_USAGE', message: 'no such thing' },
    });
  });

  it('calls an error that is none of ours ERR_INTERNAL', async () => {
    const { caller } = pair(handlers({ fail: () => Promise.reject(new RangeError('too far')) }));
    expect(await failureOf(caller.call('fail', {}, LONG_MS))).to.deep.equal({
      code: 'ERR_INTERNAL',
      message: 'too far',
    });
  });

  it('answers an operation that it does not know, and one that every object has, with an error', async () => {
    const { caller } = pair(handlers());
    for (const op of ['nonsense', 'toString', '__proto__']) {
      const failure = await failureOf(caller.call(op as 'fail', {}, LONG_MS));
      expect(failure, op).to.deep.equal({ code: 'ERR_BUS_PROTOCOL', message: `unknown operation ${op}` });
    }
  });

  it('fails what is under way when it is closed, and takes nothing more', async () => {
    const { caller } = pair(handlers({ wait: () => new Promise(() => undefined) }));
    const under = failureOf(caller.call('wait', { label: 'a' }, LONG_MS));
    caller.close();
    expect(await under).to.deep.equal({ code: 'ERR_BUS_CLOSED', message: 'the bus was closed' });
    expect(caller.inFlight).to.equal(0);
    expect(await failureOf(caller.call('add', { a: 1, b: 1 }, LONG_MS))).to.deep.equal({
      code: 'ERR_BUS_CLOSED',
      message: 'add: the bus is closed',
    });
  });

  it('closes when the other end goes away', async () => {
    const { caller, ports } = pair(handlers({ wait: () => new Promise(() => undefined) }));
    const under = failureOf(caller.call('wait', { label: 'a' }, LONG_MS));
    ports.server.close();
    expect((await under).code).to.equal('ERR_BUS_CLOSED');
  });

  it('does not answer after it was closed', async () => {
    const release = defer<void>();
    const started = defer<void>();
    const { caller, server } = pair(
      handlers({
        wait: async ({ label }) => {
          started.resolve();
          await release.promise;
          return { label };
        },
      }),
    );
    const under = failureOf(caller.call('wait', { label: 'a' }, SHORT_MS));
    await started.promise;
    server.close();
    release.resolve();
    expect((await under).code).to.equal('ERR_BUS_DEADLINE');
  });

  describe('towards messages that are not from its like', () => {
    /** An endpoint, and the bare other end of its channel with what has arrived there. */
    function bare() {
      const { port1, port2 } = openChannel();
      const served: unknown[] = [];
      const endpoint = new BusEndpoint<Pick<Calc, 'add'>, Calc>(portOf(port1), {
        add: (params) => {
          served.push(params);
          return { sum: params.a + params.b };
        },
      });
      const arrived: unknown[] = [];
      port2.on('message', (message) => arrived.push(message));
      /** Everything sent before is dealt with once this is answered. */
      const roundTrip = async (): Promise<void> => {
        const id = 1_000_000;
        port2.postMessage({ bus: BUS_VERSION, kind: 'request', id, op: 'add', params: { a: 0, b: 0 } });
        const isAnswer = (message: unknown): boolean => (message as { id?: unknown }).id === id;
        while (!arrived.some(isAnswer)) await once(port2, 'message');
        arrived.splice(arrived.findIndex(isAnswer), 1);
        served.pop();
      };
      return { endpoint, port: port2, served, arrived, roundTrip };
    }

    it('ignores what is foreign: cluster traffic, plain values, unknown kinds, ids that are no numbers', async () => {
      const { port, served, arrived, roundTrip } = bare();
      const foreign: unknown[] = [
        null,
        undefined,
        'add',
        42,
        [],
        {},
        { cmd: 'NODE_CLUSTER', ack: 1 },
        { kind: 'request', id: 1, op: 'add', params: { a: 1, b: 1 } },
        { bus: BUS_VERSION, kind: 'listen', count: 1 },
        { bus: BUS_VERSION, kind: 'request', op: 'add', params: { a: 1, b: 1 } },
        { bus: BUS_VERSION, kind: 'request', id: '1', op: 'add', params: { a: 1, b: 1 } },
        { bus: BUS_VERSION + 1, kind: 'news', id: 1 },
      ];
      for (const message of foreign) port.postMessage(message);
      await roundTrip();
      expect(served).to.deep.equal([]);
      expect(arrived).to.deep.equal([]);
    });

    it('ignores an answer to a question that it has not asked', async () => {
      const { endpoint, port, arrived, roundTrip } = bare();
      port.postMessage({ bus: BUS_VERSION, kind: 'result', id: 77, result: {} });
      port.postMessage({ bus: BUS_VERSION, kind: 'error', id: 78, error: { code: 'ERR_X', message: '' } });
      await roundTrip();
      expect(endpoint.inFlight).to.equal(0);
      expect(arrived).to.deep.equal([]);
    });

    it('answers a request of another version once, and never an answer: nothing goes to and fro', async () => {
      const { port, served, arrived, roundTrip } = bare();
      const other = BUS_VERSION + 1;
      port.postMessage({ bus: other, kind: 'request', id: 5, op: 'add', params: { a: 1, b: 1 } });
      port.postMessage({ bus: other, kind: 'error', id: 6, error: { code: 'ERR_X', message: 'what?' } });
      port.postMessage({ bus: other, kind: 'result', id: 7, result: {} });
      await roundTrip();
      expect(served).to.deep.equal([]);
      const message = `the other end speaks bus version ${other}, this one ${BUS_VERSION}`;
      expect(arrived).to.deep.equal([
        { bus: BUS_VERSION, kind: 'error', id: 5, error: { code: 'ERR_BUS_PROTOCOL', message } },
      ]);
    });

    it('fails its own request at once when the answer is of another version', async () => {
      const { endpoint, port } = bare();
      const asked = once(port, 'message') as Promise<[{ id: number }]>;
      const failure = failureOf(endpoint.call('add', { a: 1, b: 1 }, LONG_MS));
      const [{ id }] = await asked;
      port.postMessage({ bus: BUS_VERSION + 1, kind: 'result', id, result: { sum: 2 } });
      expect((await failure).code).to.equal('ERR_BUS_PROTOCOL');
      expect(endpoint.inFlight).to.equal(0);
    });

    it('is not harmed when both ends of different versions answer each other', async () => {
      const { port1, port2 } = openChannel();
      const old = new BusEndpoint<Calc, Calc>(portOf(port1), handlers());
      let sent = 0;
      // A newer end: it raises the number on everything that it sends, its errors included.
      const newer = new BusEndpoint<Calc, Calc>(
        {
          ...portOf(port2),
          post: (message) => {
            sent++;
            port2.postMessage({ ...message, bus: BUS_VERSION + 1 });
          },
        },
        handlers(),
      );
      expect((await failureOf(old.call('add', { a: 1, b: 1 }, LONG_MS))).code).to.equal('ERR_BUS_PROTOCOL');
      expect(sent).to.equal(1);
      newer.close();
    });
  });
});
