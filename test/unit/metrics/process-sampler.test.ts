import { expect } from 'chai';
import { ProcessSampler } from '../../../lib/metrics/process-sampler.js';
import { Recorder } from '../../../lib/metrics/recorder.js';

describe('ProcessSampler', () => {
  it('goes on where a process has all of its descriptors in use, and its memory cannot be read', () => {
    const { memoryUsage } = process;
    const noDescriptor = (): never => {
      throw new Error('EMFILE: too many open files, uv_resident_set_memory');
    };
    const sampler = new ProcessSampler(new Recorder());
    try {
      process.memoryUsage = Object.assign(noDescriptor, { rss: noDescriptor });
      expect(() => sampler.sample()).not.to.throw();
    } finally {
      process.memoryUsage = memoryUsage;
      sampler.stop();
    }
  });
});
