/**
 * The configuration file of the Debian package has every setting, and what is commented out in it is valid.
 */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { loadSettings, type Loaded } from '../../../lib/config/load.js';
import { FLAG_NAMES } from '../../../lib/config/flags.js';
import { configTemplate } from '../../support/config-template.js';
import { makeCertificates } from '../config/certificate-files.js';

const FILE = '/etc/peter-sslers-proxy/config.yaml';
const text = readFileSync(new URL('../../../deploy/debian/config.yaml', import.meta.url), 'utf8');
/** A setting that is commented out; between the sign and what it comments out is no blank, as there is in a sentence. */
const COMMENTED = /^#([a-z][a-z0-9-]*):/;
/** What is of no use without another setting. */
const BELONGS_TO: Readonly<Record<string, string>> = {
  'default-cert': 'default-key',
  'default-key': 'default-cert',
};

describe('The configuration file of the Debian package', () => {
  let files: Readonly<Record<string, string>>;
  before(() => {
    files = makeCertificates();
  });

  /** What the program makes of the file with these settings taken out of their comments. */
  function load(isWanted: (name: string) => boolean): Loaded {
    const config = text
      .split('\n')
      .map((line) => {
        const name = COMMENTED.exec(line)?.[1];
        return name !== undefined && isWanted(name) ? line.slice(1) : line;
      })
      .join('\n');
    const contents = (path: string): string => {
      if (path === FILE) return config;
      if (path.endsWith('.pem')) return files['/ec.pem'] ?? '';
      return path.endsWith('.key') ? (files['/ec.key'] ?? '') : 'user:password\n';
    };
    return loadSettings({
      flags: { config: [FILE] },
      env: {},
      readFile: contents,
      cwd: '/',
      cpuCount: 2,
      nowMs: Date.now(),
    });
  }

  it('is what the table of flags gives: npm run docs:flags', () => {
    expect(text).to.equal(configTemplate());
  });

  it('has every setting once', () => {
    const named = [...text.matchAll(/^#?([a-z][a-z0-9-]*):/gm)].map(([, name]) => name);
    expect(named).to.deep.equal(FLAG_NAMES.filter((name) => name !== 'config'));
  });

  it('is taken as it is, and sets only where state is kept', () => {
    const { settings, warnings } = load(() => false);
    expect(warnings).to.deep.equal([]);
    expect(settings.stateDir).to.equal('/var/lib/peter-sslers-proxy');
    expect(settings.listen).to.deep.equal([{ host: '127.0.0.1', port: 8443 }]);
  });

  it('is valid with any one of them taken out of its comment', () => {
    for (const name of FLAG_NAMES) {
      expect(() => load((other) => other === name || other === BELONGS_TO[name]), name).not.to.throw();
    }
  });

  it('is valid with all of them taken out of their comments, and has the defaults where it shows them', () => {
    const [all, none] = [load(() => true).settings, load(() => false).settings];
    expect(all.limits).to.deep.equal(none.limits);
    expect(all.certCacheSizeBytes).to.equal(none.certCacheSizeBytes);
    expect(all.httpListen).to.have.length(2);
  });
});
