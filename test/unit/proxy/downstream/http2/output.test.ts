import { expect } from 'chai';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { Output } from '../../../../../lib/proxy/downstream/http2/output.js';

/** An output, and what each write to its socket was. */
function recordedOutput(isOfOneStream: boolean): { output: Output; writes: string[] } {
  const writes: string[] = [];
  const socket = new PassThrough();
  socket.on('data', (bytes: Buffer) => writes.push(bytes.toString()));
  return {
    output: new Output(
      socket as unknown as Socket,
      () => isOfOneStream,
      () => undefined,
    ),
    writes,
  };
}

function tick(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}

describe('What goes out on a connection of HTTP/2', () => {
  it('is one write for all that several streams write in a turn', async () => {
    const { output, writes } = recordedOutput(false);
    output.push(Buffer.from('one,'));
    await tick();
    output.push(Buffer.from('two,'));
    await tick();
    expect(writes).to.deep.equal([]);
    await turn();
    expect(writes).to.deep.equal(['one,two,']);
  });

  it('waits for no turn where a stream is alone, and is one write for what it writes at once', async () => {
    const { output, writes } = recordedOutput(true);
    output.push(Buffer.from('head,'));
    output.push(Buffer.from('body,'));
    expect(writes).to.deep.equal([]);
    await tick();
    await tick();
    expect(writes).to.deep.equal(['head,body,']);
  });
});
