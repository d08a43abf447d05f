import { expect } from 'chai';
import type { ChildProcess, SendHandle } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { bindSharedHandle, type SharedHandle } from '../../../lib/net/shared-handle.js';
import { startGreeter } from './greeter.js';

type TcpHandle = SharedHandle & { readonly address: { readonly host: string; readonly port: number } };

function problemOf(host: string, port: number): { code: unknown; message: string } {
  try {
    bindSharedHandle({ host, port }).close();
  } catch (thrown) {
    const { code, message } = thrown as Error & { code?: unknown };
    return { code, message };
  }
  throw new Error('it was bound');
}

describe('A shared listening handle', () => {
  const handles: SharedHandle[] = [];
  const children: ChildProcess[] = [];

  afterEach(async () => {
    for (const handle of handles.splice(0)) handle.close();
    for (const child of children.splice(0)) await end(child);
  });

  const bind = (host: string, port = 0): TcpHandle => {
    const handle = bindSharedHandle({ host, port });
    handles.push(handle);
    const { address } = handle;
    return 'port' in address ? { ...handle, address } : expect.fail('it is no TCP address');
  };

  /** A process that accepts on the handle, and greets whoever comes by its name. */
  const startChild = async (name: string, { native }: SharedHandle): Promise<ChildProcess> => {
    const child = startGreeter(name);
    children.push(child);
    await once(child, 'message');
    child.send('accept', native as SendHandle);
    const [answer] = (await once(child, 'message')) as [unknown];
    expect(answer).to.equal('listening');
    return child;
  };

  const end = async (child: ChildProcess): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };

  const greeting = async ({ address: { host, port } }: TcpHandle): Promise<string> => {
    const socket = connect(port, host);
    try {
      let text = '';
      for await (const chunk of socket) text += String(chunk);
      return text;
    } finally {
      socket.destroy();
    }
  };

  for (const host of ['127.0.0.1', '::1', '0.0.0.0', '::']) {
    it(`shows the real port when it is bound to port 0 of ${host}`, () => {
      const { address } = bind(host);
      expect(address.host).to.equal(host);
      expect(address.port).to.be.greaterThan(0).and.lessThan(65_536);
      expect(bind(host).address.port).to.not.equal(address.port);
    });
  }

  it('is bound to the very port that is asked for', () => {
    const { port } = bind('127.0.0.1').address;
    handles.splice(0).forEach((bound) => bound.close());
    expect(bind('127.0.0.1', port).address.port).to.equal(port);
  });

  for (const [host, shown] of [
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '[::1]'],
  ] as const) {
    it(`says whose port it is when ${shown} is in use`, async () => {
      const other = createServer().listen(0, host);
      await once(other, 'listening');
      try {
        const { port } = other.address() as AddressInfo;
        expect(problemOf(host, port)).to.deep.equal({
          code: 'ERR_ENVIRONMENT',
          message: `--listen ${shown}:${port}: the address is in use by another program`,
        });
      } finally {
        other.close();
      }
    });
  }

  for (const [host, shown] of [
    ['192.0.2.1', '192.0.2.1:0'],
    ['2001:db8::1', '[2001:db8::1]:0'],
  ] as const) {
    it(`says when ${host} is not an address of this machine`, () => {
      expect(problemOf(host, 0)).to.deep.equal({
        code: 'ERR_ENVIRONMENT',
        message: `--listen ${shown}: the address does not belong to this machine`,
      });
    });
  }

  for (const host of ['127.0.0.1', '::1']) {
    it(`is accepted on by another process, on ${host}, and never by the one that bound it`, async () => {
      const handle = bind(host);
      await startChild('one', handle);
      for (let times = 0; times < 5; times++) expect(await greeting(handle)).to.equal('one');
    });
  }

  it('outlives the process that accepts: a connection waits for the next one, on the same port', async () => {
    const handle = bind('127.0.0.1');
    const one = await startChild('one', handle);
    expect(await greeting(handle)).to.equal('one');
    await end(one);
    // Neither refused nor lost while there is nobody.
    const waiting = greeting(handle);
    await startChild('two', handle);
    expect(await waiting).to.equal('two');
  });

  it('serves with two processes, of which either is enough', async () => {
    const handle = bind('127.0.0.1');
    const one = await startChild('one', handle);
    await startChild('two', handle);
    await end(one);
    for (let times = 0; times < 5; times++) expect(await greeting(handle)).to.equal('two');
  });

  it('frees its port when it is closed here and in the processes that accept', async () => {
    const handle = bind('127.0.0.1');
    const child = await startChild('one', handle);
    const { port } = handle.address;
    handles.splice(0).forEach((bound) => bound.close());
    expect(await greeting(handle), 'the other process still accepts').to.equal('one');
    expect(problemOf('127.0.0.1', port).code).to.equal('ERR_ENVIRONMENT');
    await end(child);
    expect(bind('127.0.0.1', port).address.port).to.equal(port);
  });
});
