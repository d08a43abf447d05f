import { expect } from 'chai';
import {
  findOperation,
  OPERATIONS,
  requestOf,
  type Call,
  type OperationName,
} from '../../../lib/admin/operations.js';
import type { ServerName } from '../../../lib/domain/server-name.js';

const name = 'www.a.test' as ServerName;

/** One call of each operation at the least. */
const CALLS: readonly Call[] = [
  { op: 'why', params: { name: '' } },
  { op: 'why', params: { name: 'WWW.Ä/?%&#.test' } },
  { op: 'expireAll', params: { hard: false, workers: false } },
  { op: 'expireAll', params: { hard: true, workers: true } },
  { op: 'expireDomain', params: { name, workers: false } },
  { op: 'expireDomain', params: { name: '*.a.test' as ServerName, workers: true } },
  { op: 'warm', params: { name } },
  ...Object.keys(OPERATIONS)
    .filter((op) => !['why', 'expireAll', 'expireDomain', 'warm'].includes(op))
    .map((op) => ({ op, params: {} }) as Call),
];

/** As a door would be asked. */
function find(method: string, target: string, isControl = true): ReturnType<typeof findOperation> {
  const [path = '', query = ''] = target.split('?');
  return findOperation(method, path, query, isControl);
}

describe('the table of operations', () => {
  for (const call of CALLS) {
    const { method, path } = requestOf(call);
    it(`finds ${call.op} again by its own request, ${method} ${path}`, () => {
      expect(find(method, path)).to.deep.equal({ kind: 'call', call, changes: method === 'POST' });
    });
  }

  it('was asked for each operation that there is', () => {
    expect(new Set(CALLS.map(({ op }) => op))).to.deep.equal(new Set(Object.keys(OPERATIONS)));
  });

  it('names the method that would be right, and takes HEAD for GET', () => {
    for (const call of CALLS) {
      const { method, path } = requestOf(call);
      const wrong = method === 'GET' ? 'POST' : 'GET';
      const allowed = method === 'GET' ? 'GET, HEAD' : 'POST';
      for (const other of [wrong, 'DELETE', ...(method === 'POST' ? ['HEAD'] : [])]) {
        expect(find(other, path)).to.deep.equal({ kind: 'wrong method', allowed });
      }
      if (method === 'GET') expect(find('HEAD', path)).to.include({ kind: 'call', changes: false });
    }
  });

  it('knows no other path', () => {
    for (const path of [
      '',
      '/nothing',
      '/status/',
      '/statuses',
      '/expire',
      '/expire/all/',
      '/why',
      '/STATUS',
    ]) {
      expect(find('GET', path), path).to.deep.equal({ kind: 'unknown' });
    }
  });

  it('hides what is for the control socket alone from all other doors, whatever the method', () => {
    const hidden: OperationName[] = [];
    for (const call of CALLS) {
      const { method, path } = requestOf(call);
      if (find(method, path, false).kind === 'call') continue;
      hidden.push(call.op);
      for (const any of ['GET', 'POST']) expect(find(any, path, false)).to.deep.equal({ kind: 'unknown' });
    }
    expect(hidden.sort()).to.deep.equal(['config', 'reload', 'stop', 'warm']);
  });

  it('refuses what is no name', () => {
    for (const path of ['/expire/domain/', '/expire/domain/a%20b', '/expire/domain/%', '/warm/-a.test']) {
      expect(find('POST', path), path).to.deep.equal({ kind: 'no name' });
    }
    expect(find('GET', '/why/%zz')).to.deep.equal({ kind: 'no name' });
  });

  it('takes a name as a person types it, and the address of a certificate', () => {
    for (const [path, address] of [
      ['/expire/domain/192.0.2.1', '192.0.2.1'],
      ['/expire/domain/2001:DB8:0::1', '2001:db8::1'],
      ['/warm/%3A%3A1', '::1'],
      ['/expire/domain/b%C3%BCcher.test', 'xn--bcher-kva.test'],
      ['/warm/https%3A%2F%2Fa.test%2F', 'a.test'],
    ] as const) {
      const found = find('POST', path);
      expect(found.kind === 'call' && found.call.params, path).to.include({ name: address });
    }
  });

  it('reads flags as 1, true or nothing at all; anything else is no', () => {
    const hard = (query: string): unknown => {
      const found = find('POST', `/expire/all?${query}`);
      return found.kind === 'call' ? found.call.params : found;
    };
    for (const yes of ['hard', 'hard=', 'hard=1', 'hard=true']) {
      expect(hard(yes), yes).to.deep.equal({ hard: true, workers: false });
    }
    for (const no of ['', 'hard=0', 'hard=false', 'hard=yes', 'x=1']) {
      expect(hard(no), no).to.deep.equal({ hard: false, workers: false });
    }
  });
});
