import { expect } from 'chai';
import type { TcpEntry } from '../../../../lib/proxy/tunnel/tcp-record.js';
import { tcpLine } from '../../../../lib/proxy/access-log/tcp-line.js';

const ENTRY: TcpEntry = {
  timeMs: Date.UTC(2026, 1, 3, 4, 5, 6, 789),
  client: '192.0.2.7',
  name: 'a.test',
  tier: 'lru',
  backend: 'tcp://127.0.0.1:143',
  end: 'ended',
  bytesSent: 9120,
  bytesReceived: 877,
  durationMs: 24_870.54567,
  tls: 'TLSv1.3',
};
const NONE = { name: undefined, tier: undefined, backend: undefined, tls: undefined };

describe('A line of the access log for a connection of TCP mode', () => {
  it('is in the common log format, with both counts of bytes, the seconds and the end behind', () => {
    expect(tcpLine(ENTRY, 'common')).to.equal(
      '192.0.2.7 - - [03/Feb/2026:04:05:06 +0000] "TCP a.test tcp://127.0.0.1:143" 200 9120 877 24.871 "ended"\n',
    );
  });

  it('has hyphens in the common format for what there is not', () => {
    const line = tcpLine({ ...ENTRY, ...NONE, client: '', end: 'no backend', durationMs: 0.4 }, 'common');
    expect(line).to.equal('- - - [03/Feb/2026:04:05:06 +0000] "TCP - -" 502 9120 877 0.000 "no backend"\n');
  });

  it('is one JSON object with everything in it', () => {
    const line = tcpLine(ENTRY, 'json');
    expect(line.endsWith('}\n')).to.equal(true);
    expect(JSON.parse(line)).to.deep.equal({
      time: '2026-02-03T04:05:06.789Z',
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

  it('leaves out of the JSON object what there is not', () => {
    expect(JSON.parse(tcpLine({ ...ENTRY, ...NONE }, 'json'))).not.to.have.any.keys(...Object.keys(NONE));
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
    for (const format of ['json', 'common'] as const) {
      const line = tcpLine({ ...ENTRY, client: nasty, name: nasty, backend: `tcp+unix:/${nasty}` }, format);
      expect(line).to.match(/^[\x20-\x7e]+\n$/);
    }
  });
});
