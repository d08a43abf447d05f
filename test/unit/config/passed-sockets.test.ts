import { expect } from 'chai';
import { Problem } from '../../../lib/config/parse.js';
import { parsePassed } from '../../../lib/config/passed-sockets.js';
import { problemOf } from './stage.js';

const ENV = { LISTEN_PID: '7', LISTEN_FDS: '3', LISTEN_FDNAMES: 'https:http:https' };

describe('A socket that was passed', () => {
  const right: [text: string, sockets: unknown][] = [
    ['fd:3', [{ fd: 3, text: 'fd:3' }]],
    ['systemd:http', [{ fd: 4, text: 'systemd:http' }]],
    [
      'systemd:https',
      [
        { fd: 3, text: 'systemd:https#1' },
        { fd: 5, text: 'systemd:https#2' },
      ],
    ],
    ['127.0.0.1:8443', undefined],
    ['unix:/run/p.sock', undefined],
  ];
  for (const [text, sockets] of right) {
    it(`is, or is not, ${text}`, () => {
      expect(parsePassed(text, ENV, 7)).to.deep.equal(sockets);
    });
  }

  const wrong: [text: string, env: Record<string, string>, clause: string][] = [
    ['fd:', ENV, 'must have the number of a descriptor after "fd:", 3 at the least'],
    ['fd:2', ENV, 'must have the number of a descriptor after "fd:", 3 at the least'],
    ['systemd:tls', ENV, 'must name a socket that systemd has passed (passed were https, http)'],
    [
      'systemd:https',
      { ...ENV, LISTEN_PID: '8' },
      'must name a socket that systemd has passed (none was passed)',
    ],
    [
      'systemd:https',
      { ...ENV, LISTEN_FDS: 'x' },
      'must name a socket that systemd has passed (none was passed)',
    ],
    ['systemd:https', {}, 'must name a socket that systemd has passed (none was passed)'],
  ];
  for (const [text, env, clause] of wrong) {
    it(`is not ${text} with ${JSON.stringify(env)}`, () => {
      expect(parsePassed(text, env, 7)).to.deep.equal(new Problem(clause));
    });
  }

  it('is listened on once', () => {
    expect(problemOf({ flags: { listen: ['fd:3', 'fd:3'] } })).to.equal(
      '--listen names fd:3, which is listened on already',
    );
  });
});
