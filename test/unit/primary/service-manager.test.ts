import { expect } from 'chai';
import { defer } from '../../../lib/base/deferred.js';
import { ServiceManager } from '../../../lib/primary/service-manager.js';
import { ManualTime, settled } from '../../support/manual-time.js';

/** A program, and a service manager that writes down what it is told. */
class Stage {
  readonly told: string[][] = [];
  readonly logged: string[] = [];
  isServing = true;
  /** Where set, a message is under way until it settles. */
  transit: Promise<void> = Promise.resolve();
  readonly time = new ManualTime();
  readonly manager: ServiceManager;

  constructor(env: Record<string, string>) {
    const log = (level: string) => (message: string) => void this.logged.push(`${level} ${message}`);
    this.manager = new ServiceManager({
      env,
      pid: 7,
      state: { isServing: () => this.isServing, describe: () => 'Serving' },
      send: (lines) => {
        this.told.push([...lines]);
        return this.transit;
      },
      startTimer: this.time.startTimer,
      monotonicUs: () => 42n,
      log: {
        err: log('err'),
        notice: log('notice'),
        info: log('info'),
        debug: log('debug'),
        enabled: () => true,
      },
    });
  }

  /** The first line of each message. */
  get subjects(): (string | undefined)[] {
    return this.told.map(([subject]) => subject);
  }
}

const THERE = { NOTIFY_SOCKET: '/run/notify' };

describe('A service manager', () => {
  it('is told nothing where there is none', async () => {
    for (const env of [{}, { NOTIFY_SOCKET: '' }]) {
      const stage = new Stage({ ...env, WATCHDOG_USEC: '2000' });
      stage.manager.ready();
      stage.manager.reloading(Promise.resolve({ ok: true }));
      stage.manager.stopping(1000);
      await stage.time.advance(10_000);
      expect(stage.told).to.deep.equal([]);
    }
  });

  it('is told of the start, a reload and the stop, in order', async () => {
    const stage = new Stage(THERE);
    stage.manager.ready();
    stage.manager.reloading(Promise.resolve({ ok: true }));
    await settled();
    stage.manager.stopping(30_000);
    await settled();
    expect(stage.told).to.deep.equal([
      ['READY=1', 'MAINPID=7', 'STATUS=Serving'],
      ['RELOADING=1', 'MONOTONIC_USEC=42', 'STATUS=Reading the settings again'],
      ['READY=1', 'STATUS=Serving'],
      ['STOPPING=1', 'STATUS=Finishing what is under way, within 30 s', 'EXTEND_TIMEOUT_USEC=40000000'],
    ]);
  });

  it('hears of no reload once the stop has begun', async () => {
    const stage = new Stage(THERE);
    const reload = defer<{ ok: boolean }>();
    stage.manager.ready();
    stage.manager.reloading(reload.promise);
    stage.manager.stopping(0);
    reload.resolve({ ok: true });
    stage.manager.reloading(Promise.resolve({ ok: true }));
    await settled();
    expect(stage.subjects).to.deep.equal(['READY=1', 'STOPPING=1']);
  });

  it('gets one message at a time, and of many reloads the last one, when it is slow', async () => {
    const stage = new Stage(THERE);
    const first = defer<void>();
    stage.transit = first.promise;
    stage.manager.ready();
    for (let i = 0; i < 100; i++) {
      stage.manager.reloading(Promise.resolve({ ok: true }));
      await settled();
    }
    expect(stage.subjects).to.deep.equal(['READY=1']);
    stage.transit = Promise.resolve();
    first.resolve();
    await settled();
    expect(stage.subjects).to.deep.equal(['READY=1', 'RELOADING=1', 'READY=1']);
  });

  it('is told of being alive at half of its period, and not once the stop has begun', async () => {
    const stage = new Stage({ ...THERE, WATCHDOG_USEC: '30000000', WATCHDOG_PID: '7' });
    stage.manager.ready();
    await stage.time.advance(14_999);
    expect(stage.subjects).to.deep.equal(['READY=1']);
    await stage.time.advance(1);
    await stage.time.advance(15_000);
    expect(stage.subjects).to.deep.equal(['READY=1', 'WATCHDOG=1', 'WATCHDOG=1']);
    stage.manager.stopping(0);
    await stage.time.advance(60_000);
    expect(stage.subjects.at(-1)).to.equal('STOPPING=1');
    expect(stage.time.delaysMs).to.deep.equal([]);
  });

  it('is not told of being alive while no worker serves, and soon once one does', async () => {
    const stage = new Stage({ ...THERE, WATCHDOG_USEC: '30000000' });
    stage.manager.ready();
    stage.isServing = false;
    await stage.time.advance(20_500);
    expect(stage.subjects).to.deep.equal(['READY=1']);
    stage.isServing = true;
    await stage.time.advance(500);
    expect(stage.subjects).to.deep.equal(['READY=1', 'WATCHDOG=1']);
  });

  it('hears of life from nobody else than the process that it watches', async () => {
    for (const env of [{ WATCHDOG_USEC: '2000000', WATCHDOG_PID: '8' }, { WATCHDOG_USEC: 'soon' }, {}]) {
      const stage = new Stage({ ...THERE, ...env });
      stage.manager.ready();
      await stage.time.advance(10_000);
      expect(stage.subjects).to.deep.equal(['READY=1']);
    }
  });

  it('that cannot be told is logged once, and so is the end of it', async () => {
    const stage = new Stage({ ...THERE, WATCHDOG_USEC: '2000000' });
    stage.transit = Promise.reject(new Error('no such socket'));
    stage.manager.ready();
    await stage.time.advance(3_000);
    expect(stage.logged).to.deep.equal(['err the service manager cannot be told']);
    stage.transit = Promise.resolve();
    await stage.time.advance(3_000);
    expect(stage.logged).to.deep.equal([
      'err the service manager cannot be told',
      'notice the service manager is told again',
    ]);
  });
});
