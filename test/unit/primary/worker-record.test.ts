import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { silentLogger, type LogFields } from '../../../lib/log/logger.js';
import type { ProcessFacts, Processes } from '../../../lib/primary/processes.js';
import { systemProcesses } from '../../../lib/primary/processes.js';
import { WorkerRecord } from '../../../lib/primary/worker-record.js';

const PRIMARY = 'peter-sslers-proxy: primary';
const WORKER = 'peter-sslers-proxy: worker';
const PROGRAM = '/opt/proxy/dist/worker/main.js';

/** A machine with processes that the tests make up. */
class Machine implements Processes {
  machine: string | undefined = 'boot-1 pid:[1]';
  readonly running = new Map<number, ProcessFacts>();
  readonly killed: number[] = [];

  read(pid: number): ProcessFacts | undefined {
    return this.running.get(pid);
  }

  kill(pid: number): void {
    this.killed.push(pid);
    this.running.delete(pid);
  }

  start(pid: number, startTime: string, command: string): void {
    this.running.set(pid, { startTime, command });
  }
}

describe('The record of the workers', () => {
  let stateDir: string;
  let machine: Machine;
  let notices: [message: string, fields: LogFields | undefined][];

  beforeEach(() => {
    stateDir = mkdtempSync(join(tmpdir(), 'worker-record-test-'));
    machine = new Machine();
    notices = [];
    machine.start(100, '1000', PRIMARY);
    machine.start(101, '1001', WORKER);
    machine.start(102, '1002', `/usr/bin/node ${PROGRAM}`);
  });
  afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

  const open = (pid: number, dir = stateDir): Promise<WorkerRecord> =>
    WorkerRecord.open({
      stateDir: dir,
      pid,
      processes: machine,
      workerProgram: PROGRAM,
      log: { ...silentLogger, notice: (message, fields) => void notices.push([message, fields]) },
    });

  /** Two workers of primary 100 are on record; then it is killed, and 200 starts. */
  const killPrimary = async (): Promise<void> => {
    (await open(100)).write([101, 102]);
    machine.running.delete(100);
    machine.start(200, '2000', PRIMARY);
  };

  it('is a file for its owner only, gone when nothing is left to be ended', async () => {
    const record = await open(100);
    expect(readdirSync(stateDir)).to.deep.equal([]);
    record.write([101]);
    record.write([101, 102]);
    const [file = '', ...others] = readdirSync(stateDir);
    expect([file, others]).to.deep.equal([file.match(/^workers-100-\d+\.json$/)?.[0], []]);
    expect(statSync(join(stateDir, file)).mode & 0o777).to.equal(0o600);
    expect(JSON.parse(readFileSync(join(stateDir, file), 'utf8'))).to.deep.equal({
      machine: 'boot-1 pid:[1]',
      primary: { pid: 100, startTime: '1000' },
      workers: [
        { pid: 101, startTime: '1001' },
        { pid: 102, startTime: '1002' },
      ],
    });
    record.remove();
    record.write([101]);
    expect(readdirSync(stateDir)).to.deep.equal([]);
  });

  it('lets the next start end what a killed primary has left behind, and is gone then', async () => {
    await killPrimary();
    await open(200);
    expect(machine.killed).to.deep.equal([101, 102]);
    expect(notices).to.deep.equal(
      [101, 102].map((workerPid) => [
        'ended a worker that an earlier run has left behind',
        { workerPid, primaryPid: 100 },
      ]),
    );
    expect(readdirSync(stateDir)).to.deep.equal([]);
  });

  it('costs nobody anything whose primary runs, as where two programs share the directory by mistake', async () => {
    (await open(100)).write([101, 102]);
    machine.start(200, '2000', PRIMARY);
    const second = await open(200);
    second.write([]);
    expect(machine.killed).to.deep.equal([]);
    expect(readdirSync(stateDir)).to.have.length(2);
    second.remove();
    expect(readdirSync(stateDir)).to.have.length(1);
  });

  const strangers: [what: string, change: (machine: Machine) => void][] = [
    ['with the process id of a worker, started later', (m) => m.start(101, '1999', WORKER)],
    ['with its process id and start time that is no worker', (m) => m.start(101, '1001', 'vi notes')],
    ['of another run of the machine', (m) => (m.machine = 'boot-2 pid:[1]')],
    ['of another container', (m) => (m.machine = 'boot-1 pid:[2]')],
  ];
  for (const [what, change] of strangers) {
    it(`never ends a process ${what}`, async () => {
      await killPrimary();
      machine.running.delete(102);
      change(machine);
      await open(200);
      expect(machine.killed).to.deep.equal([]);
      expect(readdirSync(stateDir)).to.deep.equal([]);
    });
  }

  it('is followed to the end by a start that finds a worker which is about to be gone, and holds the port still', async () => {
    await killPrimary();
    machine.start(101, '1001', '');
    let reads = 0;
    machine.read = (pid) => {
      if (pid === 101 && ++reads === 4) machine.running.delete(101);
      return machine.running.get(pid);
    };
    await open(200);
    expect(machine.killed).to.deep.equal([102]);
    expect(machine.running.has(101)).to.equal(false);
  });

  it('takes a process that has the process id of the killed primary for nobody', async () => {
    await killPrimary();
    machine.start(100, '1998', PRIMARY);
    await open(200);
    expect(machine.killed).to.deep.equal([101, 102]);
  });

  for (const text of [
    '',
    'null',
    '{"machine":"boot-1 pid:[1]"}',
    '{"machine":1,"primary":{},"workers":[]}',
  ]) {
    it(`is thrown away when it cannot be understood: ${text}`, async () => {
      writeFileSync(join(stateDir, 'workers-1-1.json'), text);
      writeFileSync(join(stateDir, 'other.json'), text);
      await open(100);
      expect(machine.killed).to.deep.equal([]);
      expect(readdirSync(stateDir)).to.deep.equal(['other.json']);
    });
  }

  it('does without a directory that cannot be made, and says so once', async () => {
    writeFileSync(join(stateDir, 'file'), '');
    const dir = join(stateDir, 'file', 'state');
    const record = await open(100, dir);
    record.write([101]);
    record.write([101, 102]);
    record.remove();
    expect(notices).to.have.length(1);
    expect(notices[0]?.[0]).to.match(/^workers are not recorded in --state-dir: /);
    expect(notices[0]?.[1]).to.include({ stateDir: dir });
  });

  it('is written again when that is possible again, and says once that it was not', async () => {
    const record = await open(100);
    rmSync(stateDir, { recursive: true });
    record.write([101]);
    record.write([101, 102]);
    expect(notices).to.have.length(1);
    mkdirSync(stateDir);
    record.write([101]);
    expect(readdirSync(stateDir)).to.have.length(1);
    record.remove();
    expect(readdirSync(stateDir)).to.deep.equal([]);
  });

  it('is not kept where the machine does not say which processes there are', async () => {
    machine.machine = undefined;
    const record = await open(100, join(stateDir, 'none'));
    record.write([101]);
    expect(readdirSync(stateDir)).to.deep.equal([]);
    expect(notices).to.deep.equal([]);
  });
});

describe("The kernel's processes", () => {
  it('include this one, and nobody who is not there', () => {
    const before = systemProcesses.read(process.pid);
    expect(before?.startTime).to.match(/^\d+$/);
    expect(before?.command).to.contain('mocha');
    expect(systemProcesses.read(process.pid)).to.deep.equal(before);
    expect(systemProcesses.read(2 ** 22 + 1)).to.equal(undefined);
    expect(systemProcesses.machine).to.match(/^[\da-f-]{36} pid:\[\d+\]$/);
  });
});
