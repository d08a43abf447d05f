import { expect } from 'chai';
import { mayReach } from '../../../lib/admin/reserved-paths.js';
import { readTarget } from '../../../lib/domain/request-target.js';

const PREFIX = '/.peter_sslers';

/** What is no target goes nowhere: it is answered 400. */
const reaches = (raw: string): boolean => {
  const target = readTarget(raw);
  return target !== undefined && mayReach(PREFIX, target.path);
};

describe('reserved paths', () => {
  const under = [
    '/.peter_sslers',
    '/.peter_sslers/',
    '/.peter_sslers?x',
    '/.peter_sslers/nginx/shared_cache/status',
    '/.peter_sslers/..',
    '/%2epeter_sslers/nginx',
    '/%2Epeter%5fsslers/nginx',
    '/.peter_sslers%2fnginx',
    '/%252epeter_sslers/nginx',
    '//.peter_sslers/nginx',
    '/./.peter_sslers/nginx',
    '/x/../.peter_sslers/nginx',
    '/x/%2e%2e/.peter_sslers/nginx',
    '/x/..%2f.peter_sslers/nginx',
    '/x//../.peter_sslers',
    '/x//../../.peter_sslers',
    '/../../.peter_sslers',
    '/x/y/../../.peter_sslers/nginx',
    '/%ff/../.peter_sslers',
    '/\\.peter_sslers\\nginx',
    '/.peter_sslers;v=1/nginx',
    '/x;y/../.peter_sslers',
    '/.peter_sslers#x',
    '/.peter_sslers/./nginx//shared_cache/../shared_cache/status',
    'http://host.test/.peter_sslers/nginx',
    'HTTPS://host.test:8443/x/../.peter_sslers',
  ];
  for (const target of under) {
    it(`keeps ${target} from the backends`, () => {
      expect(reaches(target)).to.equal(true);
    });
  }

  const elsewhere = [
    '/',
    '*',
    '',
    'host.test:443',
    'http://host.test',
    'http://host.test?/.peter_sslers',
    '/.peter_sslersx',
    '/.peter_ssler',
    '/peter_sslers',
    '/x/.peter_sslers/nginx',
    '/x?next=/.peter_sslers/nginx',
    '/x?/../.peter_sslers',
    '/.peter_sslers-docs/nginx',
    '/.well-known/acme-challenge/token',
    '/a%20b/./c//d',
    '/%zz/..%',
    'http://.peter_sslers/x',
    'http://host.test#/.peter_sslers',
    '/#/.peter_sslers',
    'ftp://host.test/.peter_sslers',
    'http://host.test\\.peter_sslers',
  ];
  for (const target of elsewhere) {
    it(`leaves ${target === '' ? 'an empty target' : target} to the backends`, () => {
      expect(reaches(target)).to.equal(false);
    });
  }

  it('takes a prefix of several segments as it is', () => {
    expect(mayReach('/ops/tls', '/ops/%74ls/x')).to.equal(true);
    expect(mayReach('/ops/tls', '/ops/x/../tls')).to.equal(true);
    expect(mayReach('/ops/tls', '/ops')).to.equal(false);
  });

  it('takes a long path that has its last segment for its own, and looks no further', () => {
    const filler = '/x/..'.repeat(1_000);
    expect(mayReach(PREFIX, `${filler}/elsewhere/.peter_sslers`)).to.equal(true);
    expect(mayReach(PREFIX, `/elsewhere//.peter_sslers`)).to.equal(false);
    expect(mayReach(PREFIX, `${filler}//%252e`)).to.equal(false);
  });
});
