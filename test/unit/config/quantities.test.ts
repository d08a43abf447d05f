import { expect } from 'chai';
import { flag, FLAG_NAMES } from '../../../lib/config/flags.js';
import { bytesOf, secondsOf } from '../../../lib/config/quantities.js';
import { load, problemOf } from './stage.js';

describe('durations', () => {
  const right: [text: string, seconds: number][] = [
    ['90', 90],
    ['0.5', 0.5],
    ['.5', 0.5],
    ['5.', 5],
    ['500ms', 0.5],
    ['90s', 90],
    ['10m', 600],
    ['1.5h', 5400],
    ['1h', 3600],
    ['1h30m', 5400],
    ['1h 30m', 5400],
    ['2d', 172_800],
    ['1d2h3m4s5ms', 93_784.005],
    ['10 m', 600],
    ['0', 0],
    ['0ms', 0],
    ['0h0m', 0],
  ];
  for (const [text, seconds] of right) {
    it(`reads ${text} as ${seconds} seconds`, () => {
      expect(secondsOf(text)).to.equal(seconds);
    });
  }

  const wrong = [
    '',
    ' ',
    's',
    'h',
    '5x',
    '-5m',
    '+5m',
    '1e3s',
    '5 seconds',
    '10M',
    '1H',
    '30m1h',
    '1h1h',
    '1h30',
  ];
  for (const text of [...wrong, '1:30', '1h,30m', '5.m', 'Infinity', '1 0m', 'PT5M']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(secondsOf(text)).to.be.NaN;
    });
  }

  it('are taken from the command line, the environment and the configuration file alike', () => {
    const places = [
      { flags: { 'cert-cache-duration': '1h30m' } },
      { env: { PETER_SSLERS_CERT_CACHE_DURATION: '1h30m' } },
      { flags: { config: '/c' }, files: { '/c': 'cert-cache-duration: 1h30m\n' } },
      { flags: { config: '/c' }, files: { '/c': '{"cert_cache_duration": "1h30m"}' } },
    ];
    for (const given of places) expect(load(given).settings.certCacheDurationMs).to.equal(5_400_000);
  });

  const durations = FLAG_NAMES.filter((name) => flag(name).kind === 'seconds');
  for (const name of durations) {
    it(`of --${name}: the sentence about a wrong one says what is taken, and 0 is as before`, () => {
      const min = flag(name).min ?? NaN;
      expect(problemOf({ flags: { [name]: 'soon' } })).to.equal(
        `--${name} must be a duration from ${min} to 2147483 seconds, such as 90 (seconds), 500ms, 10m, 1h30m or 2d, not "soon"`,
      );
      for (const zero of ['0', '0s', '0.0', '0h0m']) {
        if (min === 0) load({ flags: { [name]: zero } });
        else {
          expect(problemOf({ flags: { [name]: zero } })).to.equal(
            `--${name} must be above 0: the 0 that once meant "for ever" is not accepted, not "${zero}"`,
          );
        }
      }
    });
  }

  it('longer than a timer can be are refused with a unit, too', () => {
    for (const text of ['25d', '597h', '2147484s']) {
      expect(problemOf({ flags: { 'lookup-timeout': text } })).to.match(
        /^--lookup-timeout must be a duration/,
      );
    }
    expect(load({ flags: { 'lookup-timeout': '24d' } }).settings.lookupTimeoutMs).to.equal(2_073_600_000);
  });
});

describe('sizes', () => {
  const MIB = 1_048_576;
  const right: [text: string, bytes: number][] = [
    ['65536', 65_536],
    ['65536B', 65_536],
    ['64k', 65_536],
    ['64K', 65_536],
    ['64 KB', 65_536],
    ['64KiB', 65_536],
    ['256MiB', 256 * MIB],
    ['256 MiB', 256 * MIB],
    ['256M', 256 * MIB],
    ['256MB', 256 * MIB],
    ['256mb', 256 * MIB],
    ['1g', 1024 * MIB],
    ['1.5GiB', 1536 * MIB],
  ];
  for (const [text, bytes] of right) {
    it(`reads ${text} as ${bytes} bytes`, () => {
      expect(bytesOf(text)).to.equal(bytes);
    });
  }

  for (const text of ['', 'M', '-1M', '1T', '1 Mbit', '1MiBB', '1iB', '1 M B', '1e6', '1,5M', 'Infinity']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(bytesOf(text)).to.be.NaN;
    });
  }

  it('are taken from the command line, the environment and the configuration file alike', () => {
    const places = [
      { flags: { 'cert-cache-size': '64MB' } },
      { env: { PETER_SSLERS_CERT_CACHE_SIZE: '64MB' } },
      { flags: { config: '/c' }, files: { '/c': 'cert-cache-size: 64MB\n' } },
    ];
    for (const given of places) expect(load(given).settings.certCacheSizeBytes).to.equal(64 * MIB);
  });
});
