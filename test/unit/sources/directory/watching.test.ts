import { expect } from 'chai';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DirectorySource } from '../../../../lib/sources/directory/source.js';
import { writePair } from '../../../support/certificates.js';
import { settled } from '../../../support/manual-time.js';
import { chains, DirectoryStage, look, POLL_MS } from './stage.js';

describe('DirectorySource watching', () => {
  const on = new DirectoryStage();

  it('sees renewed, new and removed certificates within one poll', async () => {
    await on.place('a', ['a.test']);
    await on.place('gone', ['gone.test']);
    const source = await on.open();
    const renewed = await on.place('a', ['a.test']);
    const added = await on.place('b', ['b.test']);
    await rm(join(on.dir, 'gone'), { recursive: true });
    expect(await chains(source, 'a.test')).not.to.deep.equal([[renewed.chainPem]]);
    await on.poll();
    expect(await chains(source, 'a.test')).to.deep.equal([[renewed.chainPem]]);
    expect(await chains(source, 'b.test')).to.deep.equal([[added.chainPem]]);
    expect((await look(source, 'gone.test')).kind).to.equal('absent');
  });

  it('sees links that are switched over to other files', async () => {
    await on.place('archive/1', ['a.test']);
    const second = await on.ca.issue(['a.test']);
    await writePair(join(on.dir, 'archive', '2'), second);
    const live = join(on.dir, 'live', 'a');
    await mkdir(live, { recursive: true });
    const point = async (to: string): Promise<void> => {
      for (const file of ['fullchain.pem', 'privkey.pem']) {
        await symlink(`../../archive/${to}/${file}`, join(live, 'new'));
        await rename(join(live, 'new'), join(live, file));
      }
    };
    await point('1');
    const source = await on.open(join(on.dir, 'live'));
    await point('2');
    await on.poll();
    expect(await chains(source, 'a.test')).to.deep.equal([[second.chainPem]]);
  });

  for (const first of ['fullchain.pem', 'privkey.pem'] as const) {
    it(`keeps the good pair while a renewal has written ${first} only`, async () => {
      const before = await on.place('a', ['a.test']);
      const source = await on.open();
      const after = await on.ca.issue(['a.test']);
      const texts = { 'fullchain.pem': after.chainPem, 'privkey.pem': after.keyPem };
      const second = first === 'privkey.pem' ? 'fullchain.pem' : 'privkey.pem';
      await writeFile(join(on.dir, 'a', first), texts[first]);
      await on.poll();
      expect(await chains(source, 'a.test')).to.deep.equal([[before.chainPem]]);
      await writeFile(join(on.dir, 'a', second), texts[second]);
      await on.poll();
      expect(await chains(source, 'a.test')).to.deep.equal([[after.chainPem]]);
    });
  }

  it('reads at once when told to, for all who tell it together', async () => {
    const source = await on.open();
    const pair = await on.place('a', ['a.test']);
    await Promise.all([source.reload(), source.reload(), source.reload()]);
    expect(await chains(source, 'a.test')).to.deep.equal([[pair.chainPem]]);
  });

  it('serves what it knew when the directory is gone, says so, and recovers', async () => {
    const pair = await on.place('a', ['a.test']);
    const source = await on.open();
    await rename(on.dir, `${on.dir}-away`);
    await on.poll();
    await on.poll();
    expect(await chains(source, 'a.test')).to.deep.equal([[pair.chainPem]]);
    // Not with the scope `source`, for which a breaker would skip the known names too.
    expect(await look(source, 'b.test')).to.include({ kind: 'unavailable', scope: 'name' });
    const check = await source.check();
    expect(check.ok).to.equal(false);
    if (!check.ok) expect(check.reason).to.include(on.dir);
    expect(on.errors).to.have.length(1);

    await rename(`${on.dir}-away`, on.dir);
    await on.poll();
    expect(await look(source, 'b.test')).to.deep.equal({ kind: 'absent' });
    expect(await source.check()).to.deep.equal({ ok: true });
  });

  it('rests ten times the processor time of a reading, a minute at most, however long the process stood still', async () => {
    let [nowMs, cpuMs] = [0, 0];
    const timers: { callback: () => void; delayMs: number }[] = [];
    const source = await DirectorySource.open({
      dir: on.dir,
      now: () => nowMs,
      cpuMs: () => cpuMs,
      startTimer: (callback, delayMs) => {
        timers.push({ callback, delayMs });
        return () => undefined;
      },
    });
    for (const { usedMs, delayMs } of [
      { usedMs: 100, delayMs: POLL_MS },
      { usedMs: 1_000, delayMs: 10_000 },
      { usedMs: 3_600_000, delayMs: 60_000 },
      { usedMs: 1, delayMs: POLL_MS },
    ]) {
      timers.shift()?.callback();
      cpuMs += usedMs;
      nowMs += 3_600_000;
      while (timers.length === 0) await settled();
      expect(timers[0]?.delayMs).to.equal(delayMs);
    }
    await source.close();
  });

  it('ends with the source', async () => {
    const source = await on.open();
    await source.close();
    expect(on.time.delaysMs).to.deep.equal([]);
  });
});
