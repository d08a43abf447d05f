import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { EventStream } from '../../../lib/primary/event-stream.js';
import { eventually } from '../../support/eventually.js';
import { ManualTime } from '../../support/manual-time.js';

describe('EventStream', () => {
  let time: ManualTime;
  let made: number;
  let events: EventStream;
  let server: Server;
  const clients: IncomingMessage[] = [];

  beforeEach(async () => {
    time = new ManualTime(0);
    made = 0;
    events = new EventStream({ snapshot: () => ({ number: ++made }), startTimer: time.startTimer });
    server = createServer((_, response) => events.add(response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    events.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  async function listen(): Promise<{ response: IncomingMessage; next: () => Promise<string> }> {
    const request = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    clients.push(response);
    response.setEncoding('utf8');
    const read = response[Symbol.asyncIterator]();
    return { response, next: async () => String((await read.next()).value) };
  }

  it('sends a snapshot at once, and one each second, the same to all', async () => {
    const first = await listen();
    expect(first.response.headers).to.include({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
    });
    expect(await first.next()).to.equal('data: {"number":1}\n\n');
    const second = await listen();
    expect(await second.next()).to.equal('data: {"number":2}\n\n');
    await time.advance(1_000);
    expect(await first.next()).to.equal('data: {"number":3}\n\n');
    expect(await second.next()).to.equal('data: {"number":3}\n\n');
  });

  it('sends nothing to who has gone before it was let in', async () => {
    const late: ServerResponse[] = [];
    server.removeAllListeners('request');
    server.on('request', (_, response) => late.push(response));
    const request = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', agent: false });
    request.on('error', () => undefined);
    await once(server, 'request');
    const [response] = late as [ServerResponse];
    request.destroy();
    await once(response, 'close');
    events.add(response);
    expect([made, time.delaysMs]).to.deep.equal([0, []]);
  });

  it('makes no snapshot where nobody listens', async () => {
    const { response, next } = await listen();
    await next();
    response.destroy();
    await eventually('the stream has noticed', () => time.delaysMs.length === 0);
    await time.advance(10_000);
    expect(made).to.equal(1);
  });

  it('lets 32 listen, and tells the next one to come again', async () => {
    for (let i = 0; i < 32; i++) await listen();
    const { response } = await listen();
    expect(response.statusCode).to.equal(503);
    expect(response.headers['retry-after']).to.equal('10');
  });

  it('ends the streams when it is closed', async () => {
    const { next } = await listen();
    await next();
    events.close();
    // The end of what an iterator gives.
    expect(await next()).to.equal('undefined');
    await time.advance(5_000);
    expect(made).to.equal(1);
  });
});
