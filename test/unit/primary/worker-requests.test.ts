import { expect } from 'chai';
import { PrimaryMetrics } from '../../../lib/primary/metrics.js';
import type { OperationHost } from '../../../lib/primary/operation-host.js';
import { WorkerRequests } from '../../../lib/primary/worker-requests.js';

describe('What workers ask the primary', () => {
  it('has no lease for a worker that has ended, whose question is read late', async () => {
    const metrics = new PrimaryMetrics();
    const requests = new WorkerRequests({ metrics } as unknown as OperationHost, () =>
      Promise.reject(new Error()),
    );
    const [dead, alive] = [requests.handlers(1), requests.handlers(2)];
    requests.ended(1);
    for (const id of [1, 2, 3, 4]) {
      expect(await dead.leaseChallenge({ id, client: `192.0.2.${id}` })).to.deep.equal({
        refusal: 'its worker has ended',
      });
    }
    // They would be all there are.
    expect(await alive.leaseChallenge({ id: 1, client: '192.0.2.9' })).to.deep.equal({});
    metrics.stop();
  });
});
