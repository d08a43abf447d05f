import { expect } from 'chai';
import {
  DEFAULTS,
  environmentName,
  findFlag,
  flag,
  FLAG_NAMES,
  type FlagName,
} from '../../../lib/config/flags.js';
import { load, problemOf } from './stage.js';

describe('the table of flags', () => {
  const shown: [name: FlagName, shown: string][] = [
    ['cert-cache-duration', '600'],
    ['cert-cache-size', '256 MiB'],
    ['max-header-size', '16 KiB'],
    ['backend', 'built-in info page'],
    ['http-listen', 'none'],
    ['access-log', 'off'],
    ['workers', 'CPU count'],
    ['fallback-server', 'none'],
    ['log-file', 'stderr'],
    ['enable-autocert', 'false'],
    ['sources', 'directory, redis, manager, ca'],
    ['redis-strategy', 'none'],
  ];
  for (const [name, text] of shown) {
    it(`shows the default of --${name} as ${text}`, () => {
      expect(DEFAULTS[name]).to.equal(text);
    });
  }

  it('does not take what every object has for a flag', () => {
    expect(['constructor', '__proto__', 'toString'].map(findFlag)).to.deep.equal([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('has names and environment variables that differ from each other', () => {
    expect(new Set(FLAG_NAMES.map(environmentName)).size).to.equal(FLAG_NAMES.length);
    expect(environmentName('cert-dir')).to.equal('PETER_SSLERS_CERT_DIR');
  });

  for (const name of FLAG_NAMES) {
    it(`describes --${name} in one line, with something to stand for its value`, () => {
      const { description, value } = flag(name);
      expect(description).to.match(/^\S.{5,119}$/);
      expect(value).to.match(/^\S+$/);
    });

    it(`accepts --${name} once, and more often only where the table says so`, () => {
      const isRepeatable = flag(name).repeatable === true;
      const given = { flags: { [name]: isRepeatable ? ['', ''] : ['1', '1'] }, files: { '/work-dir/1': '' } };
      const clause = isRepeatable ? 'needs a value' : 'may be given once only';
      expect(problemOf(given)).to.equal(`--${name} ${clause}`);
    });
  }

  it('gives the same settings when every default with a text of its own is given by hand', () => {
    const flags = Object.fromEntries(
      FLAG_NAMES.flatMap((name) => {
        const value = flag(name).default;
        // Naming sources that are not configured is a warning; it changes nothing.
        if (value === undefined || (typeof value === 'object' && value.length === 0)) return [];
        return [[name, typeof value === 'object' ? [...value] : String(value)]];
      }),
    );
    expect(load({ flags }).settings).to.deep.equal(load().settings);
  });
});
