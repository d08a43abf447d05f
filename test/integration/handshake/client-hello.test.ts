/**
 * How a ClientHello may arrive, and what is not one.
 */
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { describeHandshake, handshake } from '../../support/client.js';
import { startProgram, type Program } from '../../support/program.js';
import {
  byteByByte,
  clientHello12,
  connectReshaped,
  offer,
  RawClient,
  readFlight,
} from '../../support/raw-tls.js';
import { frame, unframe } from '../../unit/tls/client-hello-bytes.js';

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

describe('A ClientHello', () => {
  let program: Program;
  before(async () => {
    program = await startProgram();
  });
  after(() => program[Symbol.asyncDispose]());

  const SHAPES: readonly { how: string; reshape: (hello: Buffer) => readonly Buffer[] }[] = [
    { how: 'in one-byte segments', reshape: byteByByte },
    { how: 'in two segments, cut inside of the record header', reshape: (hello) => cut(hello, 3) },
    { how: 'in two segments, cut inside of the handshake header', reshape: (hello) => cut(hello, 7) },
    { how: 'in two segments, without its last byte at first', reshape: (hello) => cut(hello, -1) },
    { how: 'in records of 50 bytes', reshape: (hello) => [frame(unframe(hello), 50)] },
    { how: 'in records of one byte', reshape: (hello) => [frame(unframe(hello), 1)] },
    {
      how: 'in records of 90 bytes, each byte a segment',
      reshape: (hello) => byteByByte(frame(unframe(hello), 90)),
    },
  ];
  for (const version of VERSIONS) {
    for (const { how, reshape } of SHAPES) {
      it(`of ${version} may come ${how}`, async () => {
        const { tls } = await connectReshaped(
          { ...{ port: program.port, servername: 'pieces.test' }, minVersion: version, maxVersion: version },
          reshape,
        );
        const { names, protocol } = describeHandshake(tls);
        tls.write('GET / HTTP/1.1\r\nHost: pieces.test\r\nConnection: close\r\n\r\n');
        let page = '';
        for await (const chunk of tls) page += String(chunk);
        expect(names).to.equal('pieces.test');
        expect(protocol).to.equal(version);
        expect(page).to.match(/^HTTP\/1\.1 200 [\s\S]*Name asked for +pieces\.test/);
      });
    }

    for (const kilobytes of [5, 15, 60]) {
      it(`of ${version} may be of ${kilobytes} KB`, async () => {
        const protocols = Array.from({ length: kilobytes * 5 }, (_, i) => `${i}`.padStart(200, 'x'));
        const { names, alpn } = await handshake({
          ...{ port: program.port, servername: 'long.test', ALPNProtocols: [...protocols, 'http/1.1'] },
          ...{ minVersion: version, maxVersion: version },
        });
        expect(names).to.equal('long.test');
        expect(alpn).to.equal('http/1.1');
      });
    }
  }

  it('may be padded', async () => {
    const { certificate } = await offer(program.port, { serverName: 'padded.test', padding: 12_000 });
    expect(certificate?.subjectAltName).to.equal('DNS:padded.test');
  });

  it('of more than 128 KiB is not read to its end, and refused with an alert', async () => {
    using client = await RawClient.connect(program.port);
    const body = Buffer.alloc(140_000);
    const message = Buffer.concat([Buffer.from([1, 2, 0x22, 0xe0]), body]);
    await client.send(frame(message).subarray(0, 20_000));
    await client.closed;
    expect(readFlight(client.received)).to.deep.equal({ alert: 47 });
    await program.logged('handshake failed', {
      reason: 'not-tls',
      detail: 'a ClientHello longer than 131,396 bytes',
    });
  });

  it('of TLS 1.1 is refused with an alert', async () => {
    using client = await RawClient.connect(program.port);
    const hello = clientHello12({ serverName: 'old.test' });
    hello.writeUInt16BE(0x0302, 9);
    await client.send(hello);
    await client.closed;
    expect([...client.received]).to.deep.equal([0x15, 3, 2, 0, 2, 2, 70]); // fatal, protocol_version
  });
});

describe('What is not a ClientHello', () => {
  let program: Program;
  before(async () => {
    program = await startProgram();
  });
  after(() => program[Symbol.asyncDispose]());

  const ask = async (method: string, body?: string): Promise<{ response: IncomingMessage; text: string }> => {
    const outgoing = httpRequest({ host: '127.0.0.1', port: program.port, method, agent: false });
    outgoing.on('error', () => undefined);
    outgoing.end(body);
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response) text += String(chunk);
    return { response, text };
  };

  for (const method of ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'PROPFIND']) {
    it(`gets a 400 that says so if it is plain HTTP, as with ${method}`, async () => {
      const { response, text } = await ask(method);
      expect(response.statusCode).to.equal(400);
      expect(response.headers['content-type']).to.equal('text/plain; charset=utf-8');
      expect(response.headers.connection).to.equal('close');
      if (method !== 'HEAD') expect(text).to.match(/^This port speaks TLS: use https:\/\//);
    });
  }

  it('gets that 400 also if it reads only after it has sent megabytes: no reset cuts it off', async () => {
    using client = await RawClient.connect(program.port);
    client.socket.pause();
    const body = Buffer.alloc(8 * 1024 * 1024, 'x');
    await client.send(Buffer.from(`POST / HTTP/1.1\r\nContent-Length: ${body.length}\r\n\r\n`), body);
    client.socket.resume();
    await client.closed;
    expect(client.received.toString()).to.match(/^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*TLS/);
  });

  it('is closed after that 400 also if the client goes on sending', async () => {
    await using hasty = await startProgram(['--handshake-timeout', '0.3']);
    using client = await RawClient.connect(hasty.port);
    await client.send(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    client.socket.allowHalfOpen = true;
    const sending = setInterval(() => client.socket.write('x'), 20);
    await client.closed;
    clearInterval(sending);
    expect(client.received.toString()).to.include('400');
  });

  it('gets that 400 if it comes byte by byte', async () => {
    using client = await RawClient.connect(program.port);
    await client.send(...byteByByte(Buffer.from('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n')));
    await client.closed;
    expect(client.received.toString()).to.match(/^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*TLS/);
  });

  const GARBAGE: Readonly<Record<string, Buffer>> = {
    zeroes: Buffer.alloc(100),
    text: Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'),
    'one byte that begins nothing': Buffer.from([0x42]),
    'random bytes': Buffer.from('f4c1a9d07722e6b1580c93aa', 'hex'),
    'an alert record': Buffer.from('15030300020228', 'hex'),
    'application data': Buffer.from('17030300050102030405', 'hex'),
    'a PROXY header': Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n'),
    'sixteen megabytes of junk': Buffer.alloc(16 * 1024 * 1024, 0xaa),
  };
  for (const [what, bytes] of Object.entries(GARBAGE)) {
    it(`is closed if it is ${what}`, async () => {
      const count = program.log.filter(({ msg }) => msg === 'handshake failed').length;
      using client = await RawClient.connect(program.port);
      client.socket.write(bytes);
      await client.closed;
      expect(client.received.length).to.equal(0);
      const line = await program.logged('handshake failed', {}, count + 1);
      expect(line['reason']).to.equal('not-tls');
      expect(line['detail']).to.be.a('string');
    });
  }

  const MALFORMED: Readonly<Record<string, readonly [Buffer, number]>> = {
    'an SSL 2 hello': [Buffer.from('802e0100020015000000100100800700c0030080', 'hex'), 70],
    'a record of more than 16 KB': [Buffer.from('160301ffff', 'hex'), 22],
    'another handshake message': [Buffer.from('160301000402000000', 'hex'), 10],
    'a ClientHello that ends too early': [frame(Buffer.from([1, 0, 0, 2, 3, 3])), 50],
  };
  for (const [what, [bytes, alert]] of Object.entries(MALFORMED)) {
    it(`gets alert ${alert} if it is ${what}`, async () => {
      const count = program.log.filter(({ msg }) => msg === 'handshake failed').length;
      using client = await RawClient.connect(program.port);
      client.socket.write(bytes);
      await client.closed;
      expect(readFlight(client.received)).to.deep.equal({ alert });
      expect(await program.logged('handshake failed', {}, count + 1)).to.include({ reason: 'not-tls' });
    });
  }

  it('disturbs nobody else', async () => {
    const { names } = await handshake({ port: program.port, servername: 'neighbour.test' });
    expect(names).to.equal('neighbour.test');
  });
});

function cut(bytes: Buffer, at: number): Buffer[] {
  return [bytes.subarray(0, at), bytes.subarray(at)];
}
