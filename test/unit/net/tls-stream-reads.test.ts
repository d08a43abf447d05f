import { expect } from 'chai';
import { takeReads } from '../../../lib/net/socket-reads.js';
import { eventually } from '../../support/eventually.js';
import { closed, onBoth, Pieces } from './tls-ends.js';

const turn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const until = async (holds: () => boolean): Promise<void> => eventually(String(holds), holds);

onBoth('What is read on TLS', (open) => {
  it('keeps what comes before it is asked for, and the end behind it', async () => {
    const { socket, client, events } = await open();
    socket.allowHalfOpen = true;
    client.write('one');
    await until(() => socket.readableLength === 3);
    client.end('two');
    await until(() => socket.readableLength === 6);
    await turn();
    expect(events).to.deep.equal([]);
    let read = '';
    for (let piece = socket.read(); piece !== null; piece = socket.read())
      read += (piece as Buffer).toString();
    await turn();
    expect([read, socket.bytesRead]).to.deep.equal(['onetwo', 6]);
    expect(events).to.deep.equal(['end']);
  });

  it('tells of the end at once where nothing came', async () => {
    const { socket, client, events } = await open();
    socket.allowHalfOpen = true;
    client.end();
    await until(() => socket.readableEnded);
    expect(events).to.deep.equal(['end']);
  });

  it('gives what came as events, then and later', async () => {
    const { socket, client } = await open();
    client.write('one');
    await until(() => socket.readableLength === 3);
    socket.pause();
    expect(socket.isPaused()).to.equal(true);
    let read = '';
    socket.on('data', (piece: Buffer) => (read += String(piece)));
    await turn();
    expect(read).to.equal('');
    socket.resume();
    expect(socket.isPaused()).to.equal(false);
    await until(() => read === 'one');
    client.end('two');
    await until(() => read === 'onetwo');
  });

  it('reads no more than some ahead', async () => {
    const { socket, client } = await open();
    const all = 8 * 1024 ** 2;
    client.end(Buffer.alloc(all, 'x'));
    await until(() => socket.readableLength > 0);
    for (let i = 0; i < 50; i += 1) await turn();
    expect(socket.readableLength).to.be.below(1024 ** 2);
    let read = 0;
    socket.on('data', (piece: Buffer) => (read += piece.length));
    socket.resume();
    await until(() => read === all);
  });

  it('reads into memory of others', async () => {
    const { socket, client, events } = await open();
    const reader = new Pieces(4);
    expect(takeReads(socket, reader)).to.equal(true);
    socket.resume();
    client.write('twelve bytes');
    await until(() => reader.text === 'twelve bytes');
    expect(reader.pieces).to.deep.equal(['twel', 've b', 'ytes']);
    client.end('bye');
    await closed(socket);
    expect(reader.text).to.equal('twelve bytesbye');
    expect(events).to.deep.equal(['end', 'finish', 'close']);
  });

  it('reads nothing for others while it is paused', async () => {
    const { socket, client } = await open();
    const reader = new Pieces(1_000);
    takeReads(socket, reader);
    socket.resume();
    client.write('a');
    await until(() => reader.text === 'a');
    socket.pause();
    client.write('b');
    for (let i = 0; i < 50; i += 1) await turn();
    expect(reader.text).to.equal('a');
    socket.resume();
    await until(() => reader.text === 'ab');
  });

  it('changes the reader while one is reading', async () => {
    const { socket, client } = await open();
    const [first, second] = [new Pieces(4), new Pieces(6)];
    first.onPiece = () => void takeReads(socket, second);
    takeReads(socket, first);
    socket.resume();
    client.write('four');
    await until(() => first.text === 'four');
    client.write('and six');
    await until(() => second.text === 'and six');
    expect([first.pieces, second.pieces]).to.deep.equal([['four'], ['and si', 'x']]);
  });

  it('gives nothing more to a reader that has destroyed it, and leaves what that has', async () => {
    const { socket, client } = await open();
    const reader = new Pieces(1);
    reader.onPiece = () => void socket.destroy();
    takeReads(socket, reader);
    socket.resume();
    client.write('abc');
    await closed(socket);
    await turn();
    expect([reader.text, String(reader.kept[0])]).to.deep.equal(['a', 'a']);
  });
});
