/**
 * What the system's files say of names.
 */
import { expect } from 'chai';
import {
  fullNames,
  hasOtherServices,
  parseHosts,
  parseResolvConf,
} from '../../../../lib/net/names/system-files.js';

describe('The hosts file', () => {
  it('gives each name of a line its address, in the order of the lines and without doubles', () => {
    const hosts = parseHosts(
      '10.0.0.1 a.test A2.test\n# 10.0.0.9 a.test\n::1\ta.test # own\n10.0.0.1 a.test\n',
    );
    expect(hosts.get('a.test')).to.deep.equal(['10.0.0.1', '::1']);
    expect(hosts.get('a2.test')).to.deep.equal(['10.0.0.1']);
  });

  it('has addresses as the kernel writes them', () => {
    const hosts = parseHosts('2001:DB8:0:0:0:0:0:1 a.test\n::FFFF:10.0.0.1 b.test\nfe80::1%eth0 c.test\n');
    expect([...hosts.values()]).to.deep.equal([['2001:db8::1'], ['::ffff:10.0.0.1'], ['fe80::1']]);
  });

  it('may have lines that say nothing', () => {
    expect(parseHosts('\n  \nnonsense a.test\n10.0.0.1\n1.2.3 b.test').size).to.equal(0);
  });
});

describe('The search rules', () => {
  const cases: [what: string, text: string, name: string, asked: string[]][] = [
    ['ask for a name as it is where there are none', 'nameserver 127.0.0.1', 'a', ['a']],
    [
      'try the domains first for a name without a dot',
      'search x.test y.test.',
      'a',
      ['a.x.test', 'a.y.test', 'a'],
    ],
    ['try them last for a name with a dot', 'search x.test', 'a.b', ['a.b', 'a.b.x.test']],
    ['count dots', 'search x.test\noptions timeout:1 ndots:5', 'a.b.c', ['a.b.c.x.test', 'a.b.c']],
    ['leave a name with a dot at its end alone', 'search x.test\noptions ndots:5', 'a.b.', ['a.b']],
    ['have the last of several lines', 'search x.test\ndomain y.test', 'a', ['a.y.test', 'a']],
    ['may be none', 'search .', 'a', ['a']],
  ];
  for (const [what, text, name, asked] of cases) {
    it(what, () => expect(fullNames(name, parseResolvConf(text))).to.deep.equal(asked));
  }
});

describe('The C library', () => {
  it('is asked where it has a service that the program has not', () => {
    expect(hasOtherServices('hosts: files mdns4_minimal [NOTFOUND=return] dns')).to.equal(true);
    expect(hasOtherServices('passwd: nis\nhosts:\tfiles dns myhostname')).to.equal(true);
  });

  it('is not asked otherwise', () => {
    expect(hasOtherServices('passwd: nis\nhosts: files [!UNAVAIL=return] dns # mdns4')).to.equal(false);
    expect(hasOtherServices('')).to.equal(false);
  });
});
