import { expect } from 'chai';
import {
  MAX_BUFFERED_BYTES,
  MAX_CLIENT_HELLO_BYTES,
  parseClientHello,
} from '../../../lib/tls/client-hello.js';
import {
  craft,
  craftWith,
  extension,
  frame,
  hostName,
  longestHello,
  serverNames,
  vector16,
} from './client-hello-bytes.js';

describe('the ClientHello parser', () => {
  describe('with ClientHellos made by hand', () => {
    it('reads one without any extension', () => {
      expect(parseClientHello(frame(craft(undefined)))).to.deep.equal({
        kind: 'hello',
        alpn: [],
      });
    });

    it('takes the first entry that is a host name', () => {
      const bytes = craftWith(
        serverNames(hostName('other', 7), hostName('first.test'), hostName('second.test')),
      );
      expect(parseClientHello(bytes)).to.include({ kind: 'hello', serverName: 'first.test' });
    });

    it('hands names over octet by octet, whatever they hold', () => {
      for (const name of ['../x', '192.0.2.1', 'a\0b', 'caf\u00e9.test', '', 'y'.repeat(60_000)]) {
        expect(parseClientHello(craftWith(serverNames(hostName(name))))).to.include({ serverName: name });
      }
    });

    const malformed: [string, Buffer][] = [
      ['bytes after the extensions', frame(craft(Buffer.from([0, 0, 9])))],
      ['an extension block longer than the message', frame(craft(Buffer.from([0, 9, 0])))],
      ['half an extension', frame(craft(vector16(Buffer.from([0, 0, 0]))))],
      ['an extension longer than its block', frame(craft(vector16(Buffer.from([0, 0, 0, 5, 0]))))],
      ['a server_name extension without a list', craftWith(extension(0, Buffer.alloc(0)))],
      ['an empty list of server names', craftWith(serverNames())],
      ['a server name longer than its list', craftWith(extension(0, vector16(Buffer.from([0, 0, 9, 97]))))],
      ['bytes after the list of server names', craftWith(extension(0, Buffer.from([0, 4, 0, 0, 1, 97, 0])))],
      [
        'two server_name extensions',
        craftWith(serverNames(hostName('a.test')), serverNames(hostName('b.test'))),
      ],
      ['an empty ALPN list', craftWith(extension(16, vector16(Buffer.alloc(0))))],
      ['an empty ALPN protocol', craftWith(extension(16, vector16(Buffer.from([0]))))],
      ['an ALPN protocol longer than its list', craftWith(extension(16, vector16(Buffer.from([9, 104]))))],
      [
        'two ALPN extensions',
        craftWith(
          ...['h2', 'http/1.1'].map((protocol) =>
            extension(16, vector16(Buffer.concat([Buffer.from([protocol.length]), Buffer.from(protocol)]))),
          ),
        ),
      ],
    ];
    for (const [title, bytes] of malformed) {
      it(`refuses ${title}`, () => {
        expect(parseClientHello(bytes)).to.include({ kind: 'invalid' });
      });
    }
  });

  describe('with limits', () => {
    it('reads a ClientHello of exactly the greatest length', () => {
      const message = longestHello();
      expect(message.length).to.equal(MAX_CLIENT_HELLO_BYTES);
      expect(parseClientHello(frame(message)).kind).to.equal('hello');
    });

    it('refuses a longer one as soon as its length is known', () => {
      const bytes = frame(Buffer.concat([Buffer.from([1, 2, 1, 0x45])]));
      expect(parseClientHello(bytes)).to.deep.include({
        kind: 'invalid',
        reason: 'a ClientHello longer than 131,396 bytes',
      });
      expect(parseClientHello(bytes.subarray(0, -1)).kind).to.equal('incomplete');
    });

    it('refuses one that comes in too many records, before the bound on what is buffered', () => {
      const message = longestHello();
      expect(parseClientHello(frame(message, 1)).kind).to.equal('invalid');
      const needed = (bytes: Buffer): number => {
        let needBytes = 0;
        for (;;) {
          const result = parseClientHello(bytes.subarray(0, needBytes));
          if (result.kind !== 'incomplete') return needBytes;
          needBytes = result.needBytes;
        }
      };
      expect(needed(frame(message, 1))).to.be.at.most(MAX_BUFFERED_BYTES);
      expect(needed(frame(message, 33))).to.be.at.most(MAX_BUFFERED_BYTES);
    });
  });

  describe('with what is not TLS', () => {
    for (const line of [
      'GET / HTTP/1.1\r\n',
      'POST /x HTTP/1.0',
      'PRI * HTTP/2.0\r\n\r\nSM',
      'OPTIONS *',
      'HEAD /',
    ]) {
      it(`knows ${line.split(' ')[0]!} for plain HTTP from its first byte on`, () => {
        for (let length = 1; length <= line.length; length++) {
          expect(parseClientHello(Buffer.from(line.slice(0, length)))).to.deep.equal({ kind: 'plain-http' });
        }
      });
    }

    const hello = craft(undefined);
    const cases: [string, Buffer, RegExp][] = [
      ['an SSL 2 hello', Buffer.from([0x80, 0x2e, 1, 0, 2]), /SSL 2/],
      ['an alert record', Buffer.from([0x15, 3, 1, 0, 2, 1, 0]), /not TLS/],
      ['a PROXY header', Buffer.from('PROXY TCP4 192.0.2.1'), /PROXY protocol/],
      [
        'a PROXY header of version 2',
        Buffer.from('\r\n\r\n\0\r\nQUIT\n\x21\x11', 'latin1'),
        /PROXY protocol/,
      ],
      ['an SSH banner', Buffer.from('SSH-2.0-x\r\n'), /not TLS/],
      ['a method in small letters', Buffer.from('get / HTTP/1.1'), /not TLS/],
      ['zeros', Buffer.alloc(100), /not TLS/],
      ['a record of another protocol version', Buffer.from([0x16, 2]), /version/],
      ['a record longer than 16 KiB', Buffer.from([0x16, 3, 1, 0x40, 1]), /16 KiB/],
      ['a ServerHello', frame(Buffer.from([2, 0, 0, 4])), /not a ClientHello/],
      [
        'another record in the middle',
        Buffer.concat([frame(hello.subarray(0, 9)), Buffer.from([0x17])]),
        /middle/,
      ],
    ];
    for (const [title, bytes, reason] of cases) {
      it(`refuses ${title}`, () => {
        const result = parseClientHello(bytes);
        expect(result.kind).to.equal('invalid');
        expect(result).to.have.property('reason').that.matches(reason);
      });
    }

    it('has nothing to say of no bytes', () => {
      expect(parseClientHello(Buffer.alloc(0))).to.deep.equal({ kind: 'incomplete', needBytes: 5 });
    });
  });
});
