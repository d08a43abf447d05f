import { expect } from 'chai';
import { load, problemOf } from './stage.js';

describe('a name that there is not', () => {
  const keys: [key: string, guess: string][] = [
    ['lisen', ': did you mean listen?'],
    ['Listen', ': did you mean listen?'],
    ['cert_dri', ': did you mean cert-dir?'],
    ['backends', ': did you mean backend?'],
    ['lookup_time-out', ': did you mean lookup-timeout?'],
    ['confg', ''],
    ['port', ''],
    ['tls', ''],
  ];
  for (const [key, guess] of keys) {
    it(`as a key of the configuration file, ${key}, is said with ${guess === '' ? 'no guess' : 'a guess'}`, () => {
      const given = { flags: { config: '/c' }, files: { '/c': `${key}: x\n` } };
      expect(problemOf(given)).to.equal(`/c:1:1: unknown key "${key}"${guess}`);
    });
  }

  const variables: [variable: string, guess: string][] = [
    ['PETER_SSLERS_LISEN', ': did you mean PETER_SSLERS_LISTEN?'],
    ['PETER_SSLERS_CERTDIR', ': did you mean PETER_SSLERS_CERT_DIR?'],
    ['PETER_SSLERS_config', ': did you mean PETER_SSLERS_CONFIG?'],
    ['PETER_SSLERS_PORT', ''],
    ['PETER_SSLERS_SERVICE_HOST', ''],
    ['PETER_SSLERS_', ''],
  ];
  for (const [variable, guess] of variables) {
    it(`as ${variable} in the environment is warned of with ${guess === '' ? 'no guess' : 'a guess'}`, () => {
      expect(load({ env: { [variable]: 'x' } }).warnings).to.deep.equal([
        `${variable} in the environment is no flag and was ignored${guess}`,
      ]);
    });
  }

  it('among the flags that an embedder hands over is said with a guess', () => {
    expect(problemOf({ flags: { lisen: 'x' } })).to.equal('unknown flag --lisen: did you mean --listen?');
  });

  it('in YAML that begins with an asterisk asks for quotes', () => {
    const files = { '/c': 'autocert-allow: *.example.com\n' };
    expect(problemOf({ flags: { config: '/c' }, files })).to.match(
      /^\/c:1:1: autocert-allow needs quotes around a value that begins with \*$/,
    );
  });
});
