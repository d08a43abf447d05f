import { expect } from 'chai';
import { accessLine, type AccessEntry } from '../../../../lib/proxy/access-log/request-line.js';

const ENTRY: AccessEntry = {
  timeMs: Date.UTC(2026, 1, 3, 4, 5, 6, 789),
  id: '0e4a827400000001',
  client: '192.0.2.7',
  name: 'a.test',
  tier: 'lru',
  host: 'a.test:8443',
  method: 'GET',
  target: '/x?y=1',
  httpVersion: '2.0',
  status: 200,
  bytes: 411,
  durationMs: 10.54567,
  tls: 'TLSv1.3',
  isCut: false,
};
/** What would end a line, a quoted value or a field, or act upon a terminal. */
const NASTY = '"\\\r\n\t\0\x1b[2J\x7f\x85\u2028\u202e\ud800é😀" 200 1';

describe('A line of the access log', () => {
  it('is in the common log format: client, time, request line, status and bytes', () => {
    expect(accessLine(ENTRY, 'common')).to.equal(
      '192.0.2.7 - - [03/Feb/2026:04:05:06 +0000] "GET /x?y=1 HTTP/2.0" 200 411\n',
    );
  });

  it('has a hyphen for a client of a unix socket', () => {
    expect(accessLine({ ...ENTRY, client: '' }, 'common')).to.match(/^- - - \[/);
  });

  it('has a hyphen for what was no request', () => {
    const nothing = { host: undefined, method: undefined, target: undefined, httpVersion: undefined };
    const entry = { ...ENTRY, ...nothing, status: 400 };
    expect(accessLine(entry, 'common')).to.match(/ "-" 400 411\n$/);
    const members = JSON.parse(accessLine(entry, 'json')) as Record<string, unknown>;
    expect(members).not.to.have.any.keys('host', 'method', 'target', 'protocol');
    expect(members).to.include({ status: 400, id: ENTRY.id });
  });

  it('is one JSON object with everything in it', () => {
    const line = accessLine(ENTRY, 'json');
    expect(line.endsWith('}\n')).to.equal(true);
    expect(JSON.parse(line)).to.deep.equal({
      time: '2026-02-03T04:05:06.789Z',
      id: '0e4a827400000001',
      client: '192.0.2.7',
      name: 'a.test',
      tier: 'lru',
      host: 'a.test:8443',
      method: 'GET',
      target: '/x?y=1',
      protocol: 'HTTP/2.0',
      status: 200,
      bytes: 411,
      ms: 10.546,
      tls: 'TLSv1.3',
    });
  });

  it('says in JSON that a response was cut, and leaves out what there is not', () => {
    const line = accessLine(
      { ...ENTRY, name: undefined, tier: undefined, tls: undefined, host: undefined, isCut: true },
      'json',
    );
    expect(JSON.parse(line))
      .to.include({ cut: true })
      .and.not.to.have.any.keys('name', 'tier', 'tls', 'host');
  });

  it('stays one line of printable ASCII in JSON, whatever the client sends, and means what it sent', () => {
    const line = accessLine({ ...ENTRY, host: NASTY, target: NASTY, method: NASTY }, 'json');
    expect(line).to.match(/^[\x20-\x7e]+\n$/);
    expect(JSON.parse(line)).to.include({ host: NASTY, target: NASTY, method: NASTY, status: 200 });
  });

  it('stays one line with one quoted value in the common format, whatever the client sends', () => {
    const line = accessLine({ ...ENTRY, target: NASTY, method: 'G"T' }, 'common');
    expect(line).to.match(/^192\.0\.2\.7 - - \[[^\]]+\] "[\x20-\x21\x23-\x7e]+ HTTP\/2\.0" 200 411\n$/);
    expect(line).to.include('"G\\x22T \\x22\\x5C\\x0D\\x0A\\x09\\x00\\x1B[2J\\x7F\\x85\\xE2\\x80\\xA8');
    expect(line).to.include('\\xE9\\xF0\\x9F\\x98\\x80\\x22 200 1 HTTP');
  });
});
