import { expect } from 'chai';
import { channels } from '../../../lib/channels/channels.js';
import type { LookUpMessage } from '../../../lib/channels/messages.js';
import { DOWN, found } from '../../support/fake-source.js';
import { issue, openStage } from './stage.js';

describe('The channel of look-ups', () => {
  const heard: LookUpMessage[] = [];
  const listen = (message: LookUpMessage): unknown => heard.push(message);
  beforeEach(() => {
    heard.length = 0;
    channels.lookUp.subscribe(listen);
  });
  afterEach(() => channels.lookUp.unsubscribe(listen));

  it('tells of a look-up once for all who wait, and of none for what is cached', async () => {
    const { resolve, redis } = openStage();
    redis.answer(found(await issue()));
    await Promise.all([resolve({ handshake: '1-a' }), resolve({ handshake: '1-b' })]);
    await resolve();
    expect(heard).to.have.length(1);
    expect(heard[0]).to.deep.include({ name: 'www.a.test', handshake: '1-a', outcome: 'found' });
  });

  it('tells which sources were late, and why nobody could tell', async () => {
    const { resolve, redis, manager, time } = openStage();
    redis.hold();
    manager.answer(found(await issue()));
    const answer = resolve();
    await time.advance(60_000);
    await answer;
    expect(heard[0]?.answers.map(({ source, outcome }) => [source, outcome])).to.deep.equal([
      ['redis', 'late'],
      ['manager', 'found'],
    ]);

    const other = openStage();
    other.redis.answer(DOWN);
    other.manager.answer(DOWN);
    await other.resolve();
    expect(heard[1]).to.deep.include({ outcome: 'unavailable' }).and.not.to.have.property('tier');
    expect(heard[1]?.reason).to.match(/^redis: .*; manager: /);
  });
});
