import { expect } from 'chai';
import { ACCESS_LOG_FIELD_NAMES, type AccessLogField } from '../../../../lib/config/access-log-fields.js';
import { RequestTrace } from '../../../../lib/proxy/downstream/request-trace.js';
import type { AccessEntry } from '../../../../lib/proxy/access-log/entries.js';
import { layoutOf } from '../../../../lib/proxy/access-log/layout.js';
import { INFO, TIME_MS, TLS } from './stage.js';

const trace = new RequestTrace(false);
trace.sent('http://127.0.0.1:1');
trace.sent('http://127.0.0.1:2');
trace.answered(204);
trace.headMs = 3.00049;

const ENTRY: AccessEntry = {
  timeMs: TIME_MS,
  info: INFO,
  tls: TLS,
  id: '0e4a827400000001',
  host: 'a.test:8443',
  method: 'GET',
  target: '/x?y=1',
  httpVersion: '2.0',
  referer: 'https://b.test/',
  userAgent: 'curl/7.88.1',
  status: 200,
  bytes: 411,
  received: 12,
  durationMs: 10.54567,
  isCut: false,
  timeout: undefined,
  trace,
};
/** What would end a line, a quoted value or a field, or act upon a terminal. */
const NASTY = '"\\\r\n\t\0\x1b[2J\x7f\x85\u2028\u202e\ud800é😀" 200 1';

const common = (entry: AccessEntry): string => layoutOf({ format: 'common' }).request(entry);
const combined = (entry: AccessEntry): string => layoutOf({ format: 'combined' }).request(entry);
const json = (entry: AccessEntry, fields?: readonly AccessLogField[]): string =>
  layoutOf({ format: 'json', ...(fields && { fields }) }).request(entry);
const object = (line: string): Record<string, unknown> => JSON.parse(line) as Record<string, unknown>;

describe('A line of the access log', () => {
  it('is in the common log format: client, time, request line, status and bytes', () => {
    expect(common(ENTRY)).to.equal(
      '192.0.2.7 - - [03/Feb/2026:04:05:06 +0000] "GET /x?y=1 HTTP/2.0" 200 411\n',
    );
  });

  it('is in the combined format: the same, with referer and user agent', () => {
    expect(combined(ENTRY)).to.equal(
      '192.0.2.7 - - [03/Feb/2026:04:05:06 +0000] "GET /x?y=1 HTTP/2.0" 200 411 "https://b.test/" "curl/7.88.1"\n',
    );
    expect(combined({ ...ENTRY, referer: undefined, userAgent: undefined })).to.match(/ 411 "-" "-"\n$/);
  });

  it('has a hyphen for a client of a unix socket', () => {
    const info = { ...INFO, client: { address: '', port: 0 } };
    for (const line of [common, combined]) expect(line({ ...ENTRY, info })).to.match(/^- - - \[/);
  });

  it('has a hyphen for what was no request', () => {
    const nothing = { host: undefined, method: undefined, target: undefined, httpVersion: undefined };
    const entry = { ...ENTRY, ...nothing, status: 400 };
    expect(common(entry)).to.match(/ "-" 400 411\n$/);
    const members = object(json(entry));
    expect(members).not.to.have.any.keys('host', 'method', 'target', 'protocol');
    expect(members).to.include({ status: 400, id: ENTRY.id });
  });

  it('is one JSON object with the usual fields', () => {
    const line = json(ENTRY);
    expect(line.endsWith('}\n')).to.equal(true);
    expect(object(line)).to.deep.equal({
      time: '2026-02-03T04:05:06.789Z',
      id: '0e4a827400000001',
      handshake: '2-1k3',
      client: '192.0.2.7',
      name: 'a.test',
      tier: 'default',
      reason: 'absent',
      host: 'a.test:8443',
      method: 'GET',
      target: '/x?y=1',
      protocol: 'HTTP/2.0',
      backend: 'http://127.0.0.1:2',
      status: 200,
      bytes: 411,
      ms: 10.546,
      tls: 'TLSv1.3',
    });
  });

  it('has the fields that were chosen and no other, in their order', () => {
    expect(json(ENTRY, ['status', 'backendMs', 'id'])).to.equal(
      '{"status":200,"backendMs":3,"id":"0e4a827400000001"}\n',
    );
  });

  it('has any field that there is', () => {
    expect(object(json(ENTRY, ACCESS_LOG_FIELD_NAMES))).to.deep.equal({
      ...object(json(ENTRY)),
      received: 12,
      referer: 'https://b.test/',
      userAgent: 'curl/7.88.1',
      attempts: 2,
      backendStatus: 204,
      backendMs: 3,
      cipher: 'TLS_AES_128_GCM_SHA256',
      alpn: 'h2',
      keyType: 'ecdsa-p256',
      certificate: 'ab'.repeat(32),
      resumed: true,
      chooseMs: 0.125,
    });
  });

  it('reads no field that is not chosen', () => {
    const untouched: AccessEntry = {
      ...ENTRY,
      get referer(): string {
        throw new Error('the referer was read');
      },
      get userAgent(): string {
        throw new Error('the user agent was read');
      },
      get tls(): never {
        throw new Error('TLS was asked');
      },
    };
    expect(common(untouched)).to.equal(common(ENTRY));
    expect(json(untouched, ['id', 'status'])).to.equal(json(ENTRY, ['id', 'status']));
  });

  it('asks TLS and traces requests only for what is chosen', () => {
    const of = (...fields: AccessLogField[]) => {
      const { tls, trace: how } = layoutOf({ format: 'json', fields });
      return [tls.map((read) => read(TLS)), how];
    };
    expect(of('id', 'status')).to.deep.equal([[], 'no']);
    expect(of('tls', 'resumed', 'attempts')).to.deep.equal([['TLSv1.3', true], 'untimed']);
    expect(of('backendMs')).to.deep.equal([[], 'timed']);
    for (const format of ['common', 'combined'] as const) {
      expect(layoutOf({ format })).to.deep.include({ tls: [], trace: 'no' });
    }
  });

  it('says in JSON that a response was cut, and leaves out what there is not', () => {
    const info = { client: INFO.client, chooseMs: 0 };
    const line = json({ ...ENTRY, info, tls: undefined, host: undefined, isCut: true, trace: undefined });
    expect(object(line))
      .to.include({ cut: true })
      .and.not.to.have.any.keys('name', 'tier', 'reason', 'handshake', 'tls', 'host', 'backend');
  });

  it('stays one line of printable ASCII in JSON, whatever the client sends, and means what it sent', () => {
    const sent = { host: NASTY, target: NASTY, method: NASTY, referer: NASTY, userAgent: NASTY };
    const line = json({ ...ENTRY, ...sent }, ['status', 'host', 'target', 'method', 'referer', 'userAgent']);
    expect(line).to.match(/^[\x20-\x7e]+\n$/);
    expect(object(line)).to.deep.equal({ ...sent, status: 200 });
  });

  it('stays one line with its quoted values, whatever the client sends', () => {
    const sent = { target: NASTY, method: 'G"T', referer: NASTY, userAgent: NASTY };
    const line = common({ ...ENTRY, ...sent });
    expect(line).to.match(/^192\.0\.2\.7 - - \[[^\]]+\] "[\x20-\x21\x23-\x7e]+ HTTP\/2\.0" 200 411\n$/);
    expect(line).to.include('"G\\x22T \\x22\\x5C\\x0D\\x0A\\x09\\x00\\x1B[2J\\x7F\\x85\\xE2\\x80\\xA8');
    expect(line).to.include('\\xE9\\xF0\\x9F\\x98\\x80\\x22 200 1 HTTP');
    expect(combined({ ...ENTRY, ...sent })).to.match(
      /^[^"]+"[\x20-\x21\x23-\x7e]+" 200 411( "[\x20-\x21\x23-\x7e]+"){2}\n$/,
    );
  });
});
