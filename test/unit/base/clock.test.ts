import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { systemClock } from '../../../lib/base/clock.js';

const CLOCK = new URL('../../../lib/base/clock.ts', import.meta.url).href;

describe("The system's clock for durations", () => {
  it('is the same in two processes', async () => {
    const script = `import { systemClock } from ${JSON.stringify(CLOCK)}; console.log(systemClock.now())`;
    const startMs = systemClock.now();
    const { stdout } = await promisify(execFile)(process.execPath, [
      ...['--import', 'tsx', '--input-type', 'module', '--eval', script],
    ]);
    expect(Number(stdout)).to.be.within(startMs, systemClock.now());
  });
});
