import { expect } from 'chai';
import {
  describeError,
  environmentError,
  fileError,
  ProxyError,
  usageError,
} from '../../../lib/domain/errors.js';

const codeOnly = (code: unknown): Error => Object.assign(new Error(''), { code });

describe('describeError', () => {
  const cases: readonly (readonly [what: string, thrown: unknown, text: string])[] = [
    ['an error', new Error('it broke'), 'it broke'],
    ['an error of ours', usageError('--workers is no number'), '--workers is no number'],
    ['an error with a code and a message', Object.assign(new Error('gone'), { code: 'EPIPE' }), 'gone'],
    ['an error with a code alone', codeOnly('ECONNRESET'), 'ECONNRESET'],
    ['an error with nothing at all', new TypeError(''), 'TypeError'],
    ['an error whose code is a number', codeOnly(7), 'Error'],
    ['an error whose code is empty', codeOnly(''), 'Error'],
    [
      'several errors of one attempt: the first tells why',
      new AggregateError([new Error('connect ECONNREFUSED ::1:6379'), new Error('other')], ''),
      'connect ECONNREFUSED ::1:6379',
    ],
    [
      'several errors with a message of their own',
      new AggregateError([new Error('a')], 'both failed'),
      'both failed',
    ],
    [
      'several errors, the first with a code alone',
      new AggregateError([codeOnly('ETIMEDOUT')], ''),
      'ETIMEDOUT',
    ],
    [
      'several errors within others',
      new AggregateError([new AggregateError([new Error('deep')], '')], ''),
      'deep',
    ],
    ['several errors that are none', new AggregateError(['a text'], ''), 'a text'],
    ['an empty list of errors', new AggregateError([], ''), 'AggregateError'],
    ['a text', 'plain text', 'plain text'],
    ['a number', 7, '7'],
    ['undefined', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a symbol', Symbol('odd'), 'Symbol(odd)'],
    ['an object that looks like an error', { code: 'E_X', message: 'over the bus' }, 'over the bus'],
    ['an object with a code', { code: 'E_X' }, 'E_X'],
    ['any other object', { a: 1 }, 'something that is no error was thrown'],
    ['an object that cannot become a text', Object.create(null), 'something that is no error was thrown'],
  ];
  for (const [what, thrown, text] of cases) {
    it(`says ${JSON.stringify(text)} for ${what}`, () => expect(describeError(thrown)).to.equal(text));
  }

  it('never shows a stack', () => {
    const error = new Error('short');
    expect(error.stack).to.include('errors.test');
    expect(describeError(error)).to.not.include('errors.test');
  });
});

describe('ProxyError', () => {
  it('has a code, a message and the cause where there is one', () => {
    const cause = new Error('EACCES');
    const usage = usageError('--config cannot be read', cause);
    expect(usage).to.be.instanceOf(ProxyError).and.to.be.instanceOf(Error);
    expect(usage).to.include({
      code: 'ERR_USAGE',
      name: 'ProxyError',
      message: '--config cannot be read',
      cause,
    });
    const environment = environmentError('the port is in use');
    expect(environment).to.include({ code: 'ERR_ENVIRONMENT', message: 'the port is in use' });
    expect(environment).to.not.have.property('cause');
  });

  it('says by its code where it came from', () => {
    expect(usageError('a flag').origin).to.equal('settings');
    expect(environmentError('a port').origin).to.equal('settings');
    expect(new ProxyError('ERR_BUS_BUSY', 'too many').origin).to.equal('internal');
    expect(new ProxyError('ERR_INTERNAL', 'a fault').origin).to.equal('internal');
  });
});

describe('fileError', () => {
  it('blames the machine for what may pass, so that a service manager tries again, and else the settings', () => {
    for (const code of ['ENOSPC', 'EIO', 'EMFILE', 'ESTALE']) {
      expect(fileError('f', codeOnly(code)).code, code).to.equal('ERR_ENVIRONMENT');
    }
    for (const code of ['ENOENT', 'EACCES', 'EISDIR', 'ENXIO', '']) {
      expect(fileError('f', codeOnly(code)).code, code).to.equal('ERR_USAGE');
    }
  });
});
