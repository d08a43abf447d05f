/**
 * The engine towards HTTP/1.1 backends by itself, against backends that do what they should not.
 */
import { expect } from 'chai';
import { PassThrough, Readable } from 'node:stream';
import { eventually } from '../../support/eventually.js';
import { ask, startRaw, upstreamOf } from '../../support/raw-upstream.js';
import { bodyOf } from '../../support/stream-body.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody';

describe('The engine towards HTTP/1.1 backends', () => {
  const connections: [what: string, answer: string, method: string, expected: number][] = [
    ['uses a connection again', OK, 'GET', 1],
    ['does not after HTTP/1.0', OK.replace('/1.1', '/1.0'), 'GET', 2],
    ['does not after Connection: close', OK.replace('\r\n', '\r\nConnection: close\r\n'), 'GET', 2],
    [
      'does not where it would be closed at once',
      OK.replace('\r\n', '\r\nKeep-Alive: timeout=1\r\n'),
      'GET',
      2,
    ],
    ['does where it is kept for long', OK.replace('\r\n', '\r\nKeep-Alive: timeout=60\r\n'), 'GET', 1],
    ['does not after HEAD', OK.slice(0, -4), 'HEAD', 2],
    [
      'does not after more than the response',
      `${OK}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`,
      'GET',
      2,
    ],
  ];
  for (const [what, answer, method, expected] of connections) {
    it(what, async () => {
      await using backend = await startRaw((socket) => socket.write(answer, 'latin1'));
      const upstream = upstreamOf(backend.origin);
      const body = method === 'HEAD' ? '' : 'body';
      for (let i = 0; i < 2; i++) {
        expect((await ask(upstream, { method }).over).outcome).to.equal(`200 ${body}`);
      }
      expect(backend.sockets).to.have.length(expected);
      await upstream.close();
    });
  }

  it('closes an idle connection on which something comes', async () => {
    await using backend = await startRaw((socket, _, index) =>
      socket.write(index === 0 ? OK : OK.replace('body', 'good')),
    );
    const upstream = upstreamOf(backend.origin);
    await ask(upstream).over;
    backend.sockets[0]?.write(OK.replace('body', 'evil'));
    await eventually('it is closed', () => backend.sockets[0]?.closed === true);
    expect((await ask(upstream).over).outcome).to.equal('200 good');
    await upstream.close();
  });

  it('sends the head alone where none of the body has come, and takes an answer to it', async () => {
    await using backend = await startRaw((socket, request) => {
      if (request.endsWith('\r\n\r\n')) socket.write(OK);
    });
    const upstream = upstreamOf(backend.origin);
    const course = ask(upstream, { method: 'POST', body: bodyOf(new PassThrough()) });
    expect((await course.over).outcome).to.equal('200 body');
    await upstream.close();
  });

  const broken: [what: string, answer: string][] = [
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nbody'],
    [
      'a length and chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['an unknown coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
    ['a bare LF', 'HTTP/1.1 200 OK\nContent-Length: 4\n\nbody'],
    ['a folded line', 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n'],
    ['a space before a colon', 'HTTP/1.1 200 OK\r\nContent-Length : 4\r\n\r\nbody'],
    ['a NUL', 'HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n'],
    ['a change of protocol', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    ['a head without an end', `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(20_000)}`],
    ['hints without an end', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100)],
    ['something else', '220 mail.test ESMTP\r\n\r\n'],
  ];
  for (const [what, answer] of broken) {
    it(`gives up a backend that answers with ${what}, and its connection`, async () => {
      await using backend = await startRaw((socket) => socket.write(answer, 'latin1'));
      const upstream = upstreamOf(backend.origin);
      expect((await ask(upstream).over).outcome).to.equal('malformed, sent');
      await eventually('it is closed', () => backend.sockets[0]?.closed === true);
      await upstream.close();
    });
  }

  it('writes the head and the first of the body at once', async () => {
    await using backend = await startRaw((socket) => socket.write(OK));
    const upstream = upstreamOf(backend.origin);
    const headers = ['Content-Length', '2'];
    await ask(upstream, { method: 'POST', headers, body: bodyOf(Readable.from([Buffer.from('ab')])) }).over;
    expect(backend.read[0]).to.have.length(1);
    expect(backend.read[0]?.[0]).to.match(/\r\n\r\nab$/);
    await upstream.close();
  });

  it('sends the trailers of a request', async () => {
    await using backend = await startRaw((socket, text) => text.endsWith('\r\n\r\n') && socket.write(OK));
    const upstream = upstreamOf(backend.origin);
    const body = bodyOf(Readable.from([Buffer.from('ab')]), ['X-Sum', '1']);
    const course = ask(upstream, { method: 'POST', body });
    expect((await course.over).outcome).to.equal('200 body');
    const sent = backend.read[0]?.join('') ?? '';
    expect(sent.slice(sent.indexOf('\r\n\r\n') + 4)).to.equal('2\r\nab\r\n0\r\nX-Sum: 1\r\n\r\n');
    await upstream.close();
  });

  for (const [what, text] of [
    ['longer', 'abc'],
    ['shorter', 'a'],
  ]) {
    it(`cuts a request whose body is ${what} than it says`, async () => {
      await using backend = await startRaw(() => undefined);
      const upstream = upstreamOf(backend.origin);
      const body = bodyOf(Readable.from([Buffer.from(text ?? '')]));
      const course = ask(upstream, { method: 'POST', headers: ['Content-Length', '2'], body });
      expect((await course.over).error?.kind).to.equal('invalid');
      await eventually('all are closed', () => backend.sockets.every(({ closed }) => closed));
      await upstream.close();
    });
  }

  it('closes a connection that has answered before the request was whole', async () => {
    await using backend = await startRaw((socket) => socket.write(OK));
    const upstream = upstreamOf(backend.origin);
    const body = new PassThrough();
    body.write('some of it');
    expect((await ask(upstream, { method: 'POST', body: bodyOf(body) }).over).outcome).to.equal('200 body');
    await eventually('it is closed', () => backend.sockets[0]?.closed === true);
    expect((await ask(upstream).over).outcome).to.equal('200 body');
    expect(backend.sockets).to.have.length(2);
    await upstream.close();
  });

  it('tells a connection that was closed in the meantime from one that was never made', async () => {
    const backend = await startRaw((socket, _, index) => index === 0 && socket.destroy());
    const upstream = upstreamOf(backend.origin);
    expect((await ask(upstream).over).outcome).to.equal('broken, sent');
    await backend[Symbol.asyncDispose]();
    expect((await ask(upstream).over).outcome).to.equal('connect');
    await upstream.close();
  });

  it('leaves a body that nobody has read to the next backend', async () => {
    const body = new PassThrough();
    const closed = await startRaw(() => undefined);
    await closed[Symbol.asyncDispose]();
    const course = ask(upstreamOf(closed.origin), { method: 'POST', body: bodyOf(body) });
    expect((await course.over).outcome).to.equal('connect');
    expect(body.readableDidRead).to.equal(false);
    body.end('later');
    await using backend = await startRaw((socket, text) => text.endsWith('0\r\n\r\n') && socket.write(OK));
    const upstream = upstreamOf(backend.origin);
    expect((await ask(upstream, { method: 'POST', body: bodyOf(body) }).over).outcome).to.equal('200 body');
    expect(backend.read[0]?.join('')).to.include('5\r\nlater\r\n');
    await upstream.close();
  });

  it('gives up a backend that takes no more of a body', async () => {
    await using backend = await startRaw((socket) => socket.pause());
    const upstream = upstreamOf(backend.origin, { backendHeadersTimeoutMs: 100 });
    const endless = new Readable({ read: () => endless.push(Buffer.alloc(65_536)) });
    expect((await ask(upstream, { method: 'POST', body: bodyOf(endless) }).over).outcome).to.equal(
      'timeout, sent',
    );
    endless.destroy();
    await upstream.close();
  });

  it('does not hurry a backend while the client takes no more', async () => {
    await using backend = await startRaw((socket) => {
      socket.write(OK.slice(0, -2));
      setTimeout(() => socket.write('dy'), 300);
    });
    const upstream = upstreamOf(backend.origin, { backendBodyTimeoutMs: 50 });
    const course = ask(upstream);
    course.onHeadCome = () => course.controller?.pause();
    setTimeout(() => course.controller?.resume(), 400);
    expect((await course.over).outcome).to.equal('200 body');
    await upstream.close();
  });

  it('takes hints before the response', async () => {
    await using backend = await startRaw((socket) => {
      socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n');
      setImmediate(() => socket.write(OK));
    });
    const upstream = upstreamOf(backend.origin);
    const course = await ask(upstream).over;
    expect(course.outcome).to.equal('200 body');
    expect(course.interim).to.deep.equal([100, 103]);
    await upstream.close();
  });

  it('has as many connections as it may, and lets the other requests wait in turn', async () => {
    const order: string[] = [];
    await using backend = await startRaw((socket, text) => {
      order.push(text.split(' ', 2)[1] ?? '');
      setTimeout(() => socket.write(OK), 10);
    });
    const upstream = upstreamOf(backend.origin, {}, { maxConnections: 2 });
    const paths = Array.from({ length: 10 }, (_, i) => `/${i}`);
    const courses = paths.map((path) => ask(upstream, { path }));
    for (const course of courses) expect((await course.over).outcome).to.equal('200 body');
    expect(backend.sockets).to.have.length(2);
    expect(order.map((path) => Number(path.slice(1))).sort((a, b) => a - b)).to.deep.equal([...paths.keys()]);
    expect(order.slice(2)).to.deep.equal(paths.slice(2));
    await upstream.close();
  });

  it('comes through any number of waiting requests that nobody waits for any more', async () => {
    await using backend = await startRaw((socket) => setTimeout(() => socket.write(OK), 10));
    const upstream = upstreamOf(backend.origin, {}, { maxConnections: 1 });
    const first = ask(upstream);
    const gone = Array.from({ length: 20_000 }, () => ask(upstream));
    for (const course of gone) course.isAborted = true;
    const last = ask(upstream);
    expect((await first.over).outcome).to.equal('200 body');
    expect((await last.over).outcome).to.equal('200 body');
    expect(gone.every(({ outcome }) => outcome === 'aborted')).to.equal(true);
    expect(backend.sockets).to.have.length(1);
    await upstream.close();
  });

  it('makes another connection for those who wait when one is lost', async () => {
    await using backend = await startRaw((socket, _, index) =>
      index === 0 ? socket.destroy() : socket.write(OK),
    );
    const upstream = upstreamOf(backend.origin, {}, { maxConnections: 1 });
    const courses = [ask(upstream), ask(upstream)];
    expect((await courses[0]!.over).outcome).to.equal('broken, sent');
    expect((await courses[1]!.over).outcome).to.equal('200 body');
    await upstream.close();
  });

  it('ends when the requests under way have ended', async () => {
    await using backend = await startRaw(() => undefined);
    const upstream = upstreamOf(backend.origin);
    const course = ask(upstream);
    await eventually('it is asked', () => backend.read[0]?.length === 1);
    let isClosed = false;
    const closing = upstream.close().then(() => (isClosed = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isClosed).to.equal(false);
    backend.sockets[0]?.write(OK);
    expect((await course.over).outcome).to.equal('200 body');
    await closing;
  });

  it('passes on what comes in pieces of any size', async () => {
    const answer = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'4\r\nbody\r\n'.repeat(50)}0\r\n\r\n`;
    await using backend = await startRaw((socket) => {
      socket.setNoDelay(true);
      const next = (at: number): void => {
        if (at >= answer.length) return;
        socket.write(answer.slice(at, at + 7));
        setImmediate(next, at + 7);
      };
      next(0);
    });
    const upstream = upstreamOf(backend.origin);
    const courses = await Promise.all(Array.from({ length: 8 }, () => ask(upstream).over));
    for (const { outcome } of courses) expect(outcome).to.equal(`200 ${'body'.repeat(50)}`);
    await upstream.close();
  });

  it('keeps large bodies of several connections apart', async () => {
    const LENGTH = 3_000_000;
    await using backend = await startRaw((socket, text) => {
      const letter = text.slice(5, 6);
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${LENGTH}\r\n\r\n${letter.repeat(LENGTH)}`);
    });
    const upstream = upstreamOf(backend.origin);
    const letters = ['a', 'b', 'c', 'd', 'e', 'f'];
    const courses = await Promise.all(letters.map((letter) => ask(upstream, { path: `/${letter}` }).over));
    for (const [i, { body }] of courses.entries()) expect(body === letters[i]!.repeat(LENGTH)).to.equal(true);
    await upstream.close();
  });
});
