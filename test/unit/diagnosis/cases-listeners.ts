/** Cases of several listeners. */
import type { ClientFacts } from '../../../lib/diagnosis/report.js';
import type { LeafFacts } from '../../../lib/domain/leaf-facts.js';
import { worker, type Case } from './case.js';
import { absent, cached, DEFAULT, kept, leaf, LEAF, modern, OLD } from './facts.js';

const PATH = 'unix:/tls.sock';
const FOREIGN = leaf('9', { names: ['other.test'] });
const OTHER_DEFAULT = leaf('8', { names: ['second.invalid'] });

const first = (of: LeafFacts | undefined = LEAF, changes: Partial<ClientFacts> = {}): ClientFacts =>
  modern(of, { listener: '192.0.2.1:443', ...changes });
const second = (of: LeafFacts | undefined, changes: Partial<ClientFacts> = {}): ClientFacts =>
  modern(of, { listener: PATH, ...changes });
const failing = second(undefined, { failure: `${PATH} cannot be reached: its socket is gone` });
const failingFirst = modern(undefined, {
  listener: '192.0.2.1:443',
  failure: 'the handshake has not ended in time',
});

export const LISTENERS: readonly Case[] = [
  [
    'listener-fails',
    'one of two is gone',
    { clients: [first()], otherListeners: [failing] },
    /^A client of www\.a\.test gets no handshake on 1 of 2 listeners \(unix:\/tls\.sock cannot be reached: its socket is gone\); its own certificate on 192\.0\.2\.1:443\.$/,
  ],
  [
    'listener-fails',
    'the first of them stands still',
    { clients: [failingFirst], otherListeners: [second(LEAF)] },
    /on 1 of 2 listeners \(192\.0\.2\.1:443: the handshake has not ended in time\); its own certificate on unix:\/tls\.sock\.$/,
  ],
  [
    'listener-fails',
    'without a server name',
    { asked: '', clients: [first(DEFAULT)], otherListeners: [failing] },
    /^A client that sends no server name gets no handshake on 1 of 2 listeners \(.*\); the default certificate on 192\.0\.2\.1:443\.$/,
  ],
  [
    'listener',
    'none of them answers',
    {
      clients: [modern(undefined, { failure: '192.0.2.1:443 cannot be reached: it refuses connections' })],
      otherListeners: [failing],
    },
    /^No handshake can be made: 192\.0\.2\.1:443 cannot be reached/,
  ],
  [
    'listener-differs',
    'another program has taken its place',
    { primary: kept(), clients: [first()], otherListeners: [second(FOREIGN)] },
    /^A client of www\.a\.test is not served the same on all listeners: its own certificate on 192\.0\.2\.1:443; one that nothing here knows of \(9{16} for other\.test\) on unix:\/tls\.sock\.$/,
  ],
  [
    'listener-differs',
    'the default on the first one',
    { clients: [first(DEFAULT)], otherListeners: [second(LEAF)] },
    /the default certificate on 192\.0\.2\.1:443; its own certificate on unix/,
  ],
  [
    'listener-differs',
    'an address has a certificate and another has none',
    { asked: '', clients: [first(leaf('f', { names: ['192.0.2.1'] }))], otherListeners: [second(DEFAULT)] },
    /the certificate of the address \(192\.0\.2\.1\) on 192\.0\.2\.1:443; the default certificate on unix/,
  ],
  [
    'served',
    'all listeners serve it',
    { clients: [first()], otherListeners: [second(LEAF), second(LEAF)] },
    /is served its own certificate/,
  ],
  [
    'no-server-name',
    'each has a default of its own',
    {
      asked: '',
      clients: [first(DEFAULT)],
      otherListeners: [second(OTHER_DEFAULT, { isDefault: true })],
    },
    /is served the default certificate/,
  ],
  [
    'worker-has-negative',
    'which is where the other listener has its default from',
    {
      primary: kept(),
      workers: [worker({ negative: absent }), worker({ cached: cached() })],
      clients: [first()],
      otherListeners: [second(DEFAULT)],
    },
    /1 of 2 workers/,
    'expire',
  ],
  [
    'worker-has-old',
    'which is where the other listener has it from',
    {
      primary: kept(),
      workers: [worker({ cached: cached(OLD) }), worker({ cached: cached() })],
      clients: [first()],
      otherListeners: [second(OLD)],
    },
    /1 of 2 workers still serves an earlier certificate/,
    'expire',
  ],
  [
    'absent',
    'refused on both',
    {
      sources: [],
      settings: { rejectsUnknownNames: true },
      clients: [modern(undefined, { failure: 'unrecognized name' })],
      otherListeners: [second(undefined, { failure: 'unrecognized name' })],
    },
    /^The handshake is refused/,
  ],
];
