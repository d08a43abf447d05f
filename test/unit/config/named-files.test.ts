import { expect } from 'chai';
import { loadSettings } from '../../../lib/config/load.js';
import { makeCertificates } from './certificate-files.js';
import { load, problemOf } from './stage.js';

describe('files that flags name', () => {
  let files: Record<string, string>;
  before(() => {
    files = {
      ...makeCertificates(),
      '/no-pem': 'hello\n',
      '/bad.pem': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      '/bad.key': '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n',
      '/locked': 'FORBIDDEN',
      '/cred': 'user:pa:ss\r\nsecond line\n',
      '/bad-cred': 'secret\n',
      '/allow': '# ours\nExample.com\r\n\n*.b.example # and below\n',
      '/bad-allow': 'a.example\nb.example:443\n',
      '/work-dir/lists/allow': 'c.example\n',
      '/htpasswd': 'root:$apr1$x',
      '/empty': '',
      '/comments': '\uFEFF# none yet\r\n  \n# a:b\n',
    };
  });
  // The certificates are of today, so today is the time to judge them by.
  const loadNow = (flags: Record<string, string[]>, nowMs = Date.now()) =>
    loadSettings({
      flags,
      env: {},
      cwd: '/',
      cpuCount: 1,
      nowMs,
      readFile: (path) => files[path] ?? expect.fail(`reads ${path}`),
    });

  describe('the default certificate', () => {
    it('is one pair', () => {
      const { settings, warnings } = loadNow({ 'default-cert': ['/rsa.pem'], 'default-key': ['/rsa.key'] });
      expect(warnings).to.deep.equal([]);
      expect(settings.defaultPairs).to.deep.equal([
        { chainPem: files['/rsa.pem'], keyPem: files['/rsa.key'] },
      ]);
    });

    it('may have run together without a newline in a bad cat', () => {
      files['/joined.pem'] = (files['/ec.pem'] ?? '').trimEnd() + (files['/ec2.pem'] ?? '');
      const { settings } = loadNow({ 'default-cert': ['/joined.pem'], 'default-key': ['/ec.key'] });
      expect(settings.defaultPairs?.[0]?.chainPem).to.equal(`${files['/ec.pem']}${files['/ec2.pem']}`);
    });

    it('is two pairs, the ECDSA one first whatever the order of the flags', () => {
      const { settings } = loadNow({
        'default-cert': ['/rsa.pem', '/ec.pem'],
        'default-key': ['/rsa.key', '/ec.key'],
      });
      expect(settings.defaultPairs?.map(({ chainPem }) => chainPem)).to.deep.equal([
        files['/ec.pem'],
        files['/rsa.pem'],
      ]);
    });

    it('is refused, with its file, when its key is too small to be served', () => {
      expect(() => loadNow({ 'default-cert': ['/weak.pem'], 'default-key': ['/weak.key'] })).to.throw(
        /^--default-cert .*\/weak\.pem.* cannot be served: .*key too small$/,
      );
    });

    it('is served when it has expired, with a warning that names the file', () => {
      const later = Date.now() + 60 * 86_400_000;
      const { settings, warnings } = loadNow(
        { 'default-cert': ['/ec.pem'], 'default-key': ['/ec.key'] },
        later,
      );
      expect(settings.defaultPairs).to.have.length(1);
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.match(/^--default-cert \/ec\.pem: it expired on \d{4}-/);
    });

    it('is served when it will expire soon, with a warning that names the file', () => {
      const flags = { 'default-cert': ['/ec.pem'], 'default-key': ['/ec.key'] };
      const day = 86_400_000;
      expect(loadNow(flags, Date.now() + 15 * day).warnings).to.deep.equal([]);
      const [warning] = loadNow(flags, Date.now() + 17 * day).warnings;
      expect(warning).to.match(/^--default-cert \/ec\.pem: it expires on \d{4}-/);
    });

    const cases: [certs: string[], keys: string[], message: string][] = [
      [['/ec.pem'], [], '--default-cert needs a --default-key beside each'],
      [[], ['/ec.key'], '--default-key needs a --default-cert beside each'],
      [['/ec.pem', '/rsa.pem'], ['/ec.key'], '--default-cert needs a --default-key beside each'],
      [['/none'], ['/ec.key'], '--default-cert names /none, which cannot be read: there is no such file'],
      [['/ec.pem'], ['/locked'], '--default-key names /locked, which cannot be read: permission denied'],
      [
        ['/ec.pem'],
        ['/rsa.key'],
        '--default-cert /ec.pem with --default-key /rsa.key: the private key does not belong to the certificate',
      ],
      [
        ['/no-pem'],
        ['/ec.key'],
        '--default-cert /no-pem with --default-key /ec.key: the chain holds no PEM certificate',
      ],
      [
        ['/empty'],
        ['/ec.key'],
        '--default-cert /empty with --default-key /ec.key: the chain holds no PEM certificate',
      ],
      [
        ['/ec.pem'],
        ['/empty'],
        '--default-cert /ec.pem with --default-key /empty: the private key cannot be parsed',
      ],
      [
        ['/bad.pem'],
        ['/ec.key'],
        '--default-cert /bad.pem with --default-key /ec.key: a certificate of the chain cannot be parsed',
      ],
      [
        ['/ec.pem'],
        ['/bad.key'],
        '--default-cert /ec.pem with --default-key /bad.key: the private key cannot be parsed',
      ],
      [
        ['/ec.pem', '/ec2.pem'],
        ['/ec.key', '/ec2.key'],
        '--default-cert is given twice, which must be once for RSA and once for ECDSA',
      ],
      [
        ['/ec.pem', '/rsa.pem', '/ec2.pem'],
        ['/ec.key', '/rsa.key', '/ec2.key'],
        '--default-cert may be given twice at most, for RSA and ECDSA',
      ],
    ];
    for (const [certs, keys, message] of cases) {
      it(`says: ${message}`, () => {
        const flags = {
          ...(certs.length > 0 && { 'default-cert': certs }),
          ...(keys.length > 0 && { 'default-key': keys }),
        };
        expect(problemOf({ flags, files })).to.equal(message);
      });
    }

    it('may come from the environment, two paths with a comma between them', () => {
      const env = {
        PETER_SSLERS_DEFAULT_CERT: '/ec.pem,/rsa.pem',
        PETER_SSLERS_DEFAULT_KEY: '/ec.key,/rsa.key',
      };
      expect(load({ env, files }).settings.defaultPairs).to.have.length(2);
      expect(problemOf({ env: { PETER_SSLERS_DEFAULT_CERT: '/ec.pem' }, files })).to.equal(
        'PETER_SSLERS_DEFAULT_CERT needs a --default-key beside each',
      );
    });
  });

  describe('for the manager', () => {
    const manager = { 'fallback-server': 'https://m/p' };

    it('gives the authorities and the credentials', () => {
      const flags = { ...manager, 'fallback-ca': '/rsa.pem', 'fallback-credentials': '/cred' };
      const { settings } = load({ flags, files });
      expect(settings.manager?.caPem).to.equal(files['/rsa.pem']);
      expect(settings.manager?.credentials).to.equal('user:pa:ss');
    });

    it('leaves out a byte order mark before the credentials, which an editor has put there', () => {
      const flags = { ...manager, 'fallback-credentials': '/marked' };
      const { settings } = load({ flags, files: { ...files, '/marked': `\uFEFF${files['/cred']}` } });
      expect(settings.manager?.credentials).to.equal('user:pa:ss');
    });

    const cases: [flags: Record<string, string>, message: string][] = [
      [{ 'fallback-ca': '/no-pem' }, '--fallback-ca names /no-pem, which holds no PEM certificate'],
      [{ 'fallback-ca': '/empty' }, '--fallback-ca names /empty, which holds no PEM certificate'],
      [
        { 'fallback-credentials': '/empty' },
        '--fallback-credentials names /empty, whose first line is not user:password',
      ],
      [
        { 'fallback-ca': '/bad.pem' },
        '--fallback-ca names /bad.pem, in which a certificate cannot be parsed',
      ],
      [
        { 'fallback-credentials': '/bad-cred' },
        '--fallback-credentials names /bad-cred, whose first line is not user:password',
      ],
      [
        { 'fallback-server': 'https://a:b@m/p', 'fallback-credentials': '/cred' },
        '--fallback-credentials and the URL of --fallback-server both hold credentials: choose one',
      ],
      [
        { 'autocert-allow': '@none' },
        '--autocert-allow names /work-dir/none, which cannot be read: there is no such file',
      ],
      [
        { 'autocert-allow': '/bad-allow' },
        '--autocert-allow /bad-allow: line 2 must be example.com, *.example.com (every name below) or *',
      ],
    ];
    for (const [flags, message] of cases) {
      it(`says: ${message}`, () => {
        expect(problemOf({ flags: { ...manager, ...flags }, files })).to.equal(message);
      });
    }

    const lists: [text: string, allow: string[]][] = [
      ['/allow', ['example.com', '*.b.example']],
      ['@/allow', ['example.com', '*.b.example']],
      ['./lists/allow', ['c.example']],
      ['@lists/allow', ['c.example']],
      ['x.example,@lists/allow', ['x.example', 'c.example']],
      ['../allow', ['example.com', '*.b.example']],
    ];
    for (const [text, allow] of lists) {
      it(`gives the patterns of --autocert-allow ${text}`, () => {
        const flags = { ...manager, 'enable-autocert': 'true', 'autocert-allow': text };
        expect(load({ flags, files }).settings.manager?.autocert?.allow).to.deep.equal(allow);
      });
    }
  });

  describe('an allow-list without a name in it', () => {
    const manager = { 'fallback-server': 'https://m/p', 'enable-autocert': 'true' };

    for (const file of ['/empty', '/comments']) {
      it(`(${file}) lets nothing be ordered, and says so`, () => {
        const { settings, warnings } = load({ flags: { ...manager, 'autocert-allow': file }, files });
        expect(settings.manager?.autocert?.allow).to.deep.equal([]);
        expect(warnings).to.deep.equal([
          `--autocert-allow names ${file}, which holds no name: nothing may be ordered`,
        ]);
      });
    }

    it('is no reason to say so where others hold names', () => {
      const { settings, warnings } = load({
        flags: { ...manager, 'autocert-allow': '/empty,a.example' },
        files,
      });
      expect(settings.manager?.autocert?.allow).to.deep.equal(['a.example']);
      expect(warnings).to.deep.equal([]);
    });
  });

  describe('for the admin routes', () => {
    const flags = { 'admin-user-file': '/htpasswd' };

    it('gives the text of the htpasswd file', () => {
      expect(load({ flags, files }).settings.admin.htpasswd).to.equal('root:$apr1$x');
    });

    for (const file of ['/empty', '/comments']) {
      it(`refuses an htpasswd file without a user (${file})`, () => {
        expect(problemOf({ flags: { 'admin-user-file': file }, files })).to.equal(
          `--admin-user-file names ${file}, which holds no user: leave the flag out for no admin routes`,
        );
      });
    }

    it('names the file before what the check says of it', () => {
      const checkHtpasswd = (): void => {
        throw new Error('line 1: unknown kind of hash');
      };
      expect(problemOf({ flags, files, checkHtpasswd })).to.equal(
        '--admin-user-file /htpasswd: line 1: unknown kind of hash',
      );
    });
  });

  it('says which configuration file cannot be read, and what named it', () => {
    expect(problemOf({ env: { PETER_SSLERS_CONFIG: 'p.yaml' } })).to.equal(
      'PETER_SSLERS_CONFIG names /work-dir/p.yaml, which cannot be read: there is no such file',
    );
  });

  it('never puts what is in a file, or a password in a URL, into a message', () => {
    const secrets = [
      { flags: { 'default-cert': '/ec.pem', 'default-key': '/bad.key' }, files },
      { flags: { 'fallback-server': 'https://m', 'fallback-credentials': '/bad-cred' }, files },
      { flags: { 'fallback-server': 'https://u:secret@m/?' } },
      { flags: { 'redis-url': 'redis://:secret@h/x' } },
      { flags: { config: '/c' }, files: { '/c': 'redis-url: redis://:secret@h/x\n' } },
      { flags: { config: '/c' }, files: { '/c': '{redis-url: "redis://:secret@h/9"\nsecret: [' } },
    ];
    for (const given of secrets) {
      expect(problemOf(given)).to.not.match(/secret|c2VjcmV0|BEGIN/);
    }
  });
});
