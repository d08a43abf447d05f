import { expect } from 'chai';
import type { ServerName } from '../../../../lib/domain/server-name.js';
import type { TcpEntry } from '../../../../lib/proxy/tunnel/tcp-record.js';
import { layoutOf } from '../../../../lib/proxy/access-log/layout.js';
import { INFO, TIME_MS, TLS } from './stage.js';

const ENTRY: TcpEntry = {
  timeMs: TIME_MS,
  info: { ...INFO, tier: 'lru', reason: undefined },
  tls: TLS,
  backend: 'tcp://127.0.0.1:143',
  end: 'ended',
  bytesSent: 9120,
  bytesReceived: 877,
  durationMs: 24_870.54567,
};

const tcpLine = (entry: TcpEntry, format: 'common' | 'combined' | 'json'): string =>
  layoutOf({ format }).tcp(entry);

describe('A line of the access log for a connection of TCP mode', () => {
  it('is in the common log format, with both counts of bytes, the seconds and the end behind', () => {
    expect(tcpLine(ENTRY, 'common')).to.equal(
      '192.0.2.7 - - [03/Feb/2026:04:05:06 +0000] "TCP a.test tcp://127.0.0.1:143" 200 9120 877 24.871 "ended"\n',
    );
  });

  it('is in the combined format the same, without referer and user agent', () => {
    expect(tcpLine(ENTRY, 'combined')).to.equal(
      '192.0.2.7 - - [03/Feb/2026:04:05:06 +0000] "TCP a.test tcp://127.0.0.1:143" 200 9120 "-" "-" 877 24.871 "ended"\n',
    );
  });

  it('has hyphens in the common format for what there is not', () => {
    const info = { ...INFO, serverName: undefined, client: { address: '', port: 0 } };
    const entry = { ...ENTRY, info, backend: undefined, end: 'no backend', durationMs: 0.4 } as const;
    const line = tcpLine(entry, 'common');
    expect(line).to.equal('- - - [03/Feb/2026:04:05:06 +0000] "TCP - -" 502 9120 877 0.000 "no backend"\n');
  });

  it('is one JSON object with the usual fields', () => {
    const line = tcpLine(ENTRY, 'json');
    expect(line.endsWith('}\n')).to.equal(true);
    expect(JSON.parse(line)).to.deep.equal({
      time: '2026-02-03T04:05:06.789Z',
      handshake: '2-1k3',
      client: '192.0.2.7',
      name: 'a.test',
      tier: 'lru',
      protocol: 'TCP',
      backend: 'tcp://127.0.0.1:143',
      status: 200,
      end: 'ended',
      bytes: 9120,
      received: 877,
      ms: 24_870.546,
      tls: 'TLSv1.3',
    });
  });

  it('has the fields that were chosen, of those that a connection has', () => {
    const { tcp } = layoutOf({ format: 'json', fields: ['received', 'method', 'cipher', 'attempts', 'end'] });
    expect(tcp(ENTRY)).to.equal('{"received":877,"cipher":"TLS_AES_128_GCM_SHA256","end":"ended"}\n');
  });

  it('leaves out of the JSON object what there is not', () => {
    const info = { ...INFO, serverName: undefined, tier: undefined, reason: undefined };
    const line = tcpLine({ ...ENTRY, info, backend: undefined }, 'json');
    expect(JSON.parse(line)).not.to.have.any.keys('name', 'tier', 'reason', 'backend');
  });

  const ends: [end: TcpEntry['end'], status: number, isCut: boolean][] = [
    ['ended', 200, false],
    ['idle', 200, true],
    ['client failed', 200, true],
    ['backend failed', 200, true],
    ['stopped', 200, true],
    ['no backend', 502, true],
    ['client gone', 499, true],
    ['no certificate', 403, true],
  ];
  for (const [end, status, isCut] of ends) {
    it(`has status ${status} where the end is "${end}"${isCut ? ', and says in JSON that it was cut' : ''}`, () => {
      const line = JSON.parse(tcpLine({ ...ENTRY, end }, 'json')) as Record<string, unknown>;
      expect(line).to.include({ status, end });
      expect(line['cut']).to.equal(isCut ? true : undefined);
      expect(tcpLine({ ...ENTRY, end }, 'common')).to.match(
        new RegExp(`" ${status} 9120 877 \\S+ "${end}"\n$`),
      );
    });
  }

  it('stays one line of printable ASCII, whatever its parts are', () => {
    const nasty = '"\\\r\n\x1b[2J\u2028é😀';
    const info = { ...INFO, serverName: nasty as ServerName, client: { address: nasty, port: 1 } };
    for (const format of ['json', 'common', 'combined'] as const) {
      const line = tcpLine({ ...ENTRY, info, backend: `tcp+unix:/${nasty}` }, format);
      expect(line).to.match(/^[\x20-\x7e]+\n$/);
    }
  });
});
