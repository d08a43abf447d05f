/**
 * Clients of four kinds that go on until they are stopped: new handshakes, kept HTTP/1.1 connections, HTTP/2 sessions with
 * several streams, and WebSockets.
 *
 *     await using load = await startMixedLoad(program.port, 'www.example.com');
 *     // … reloads
 *     const { failures } = await load.stop();
 *
 * A stream that the server refuses unread, as it does behind its GOAWAY, is asked for once more on a new connection: that is
 * no failure, but it is counted. On HTTP/1.1 nothing is asked twice.
 */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { request } from './client.js';
import { H2Client } from './h2-client.js';
import { EchoClient } from './web-socket.js';

export interface LoadReport {
  readonly handshakes: number;
  /** Requests on kept HTTP/1.1 connections. */
  readonly kept: number;
  readonly streams: number;
  readonly echoes: number;
  /** Requests that were made once more on HTTP/2, where the server had refused them unread: that is what a GOAWAY says. */
  readonly askedAgain: number;
  /** What went wrong, one sentence each. */
  readonly failures: readonly string[];
  readonly openWebSockets: number;
}

export interface MixedLoad extends AsyncDisposable {
  /** So far. */
  readonly report: LoadReport;
  /** Ends it and waits until nothing is under way. */
  stop(): Promise<LoadReport>;
}

const STREAMS = 5;

export async function startMixedLoad(port: number, name: string): Promise<MixedLoad> {
  const counts = { handshakes: 0, kept: 0, streams: 0, echoes: 0, askedAgain: 0 };
  const failures: string[] = [];
  const webSockets = await Promise.all([1, 2, 3, 4].map(() => EchoClient.connect(port, name)));
  const agent = new Agent({ keepAlive: true, maxSockets: 2, rejectUnauthorized: false, servername: name });
  const sessions = new Map<number, H2Client>();
  let isRunning = true;

  async function handshakes(): Promise<void> {
    const { status, body } = await request({ port, name });
    if (status !== 200) throw new Error(`${status} ${body}`);
    counts.handshakes += 1;
  }

  async function kept(): Promise<void> {
    const outgoing = httpsRequest({ host: '127.0.0.1', port, headers: { host: name }, agent });
    outgoing.end();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    response.resume();
    await once(response, 'end');
    if (response.statusCode !== 200) throw new Error(String(response.statusCode));
    counts.kept += 1;
  }

  async function streams(): Promise<void> {
    let client = sessions.get(0);
    if (client === undefined || client.session.closed || client.session.destroyed) {
      client = await H2Client.connect(port, name);
      sessions.set(0, client);
    }
    const open = client;
    await Promise.all(Array.from({ length: STREAMS }, () => stream(open)));
  }

  async function stream(client: H2Client, isAgain = false): Promise<void> {
    let seen = 'no stream';
    if (!client.session.closed && !client.session.destroyed) {
      const { status, isWhole } = await client.request();
      if (status === 200 && isWhole) {
        counts.streams += 1;
        return;
      }
      seen = `${status}${isWhole ? '' : ' cut'}`;
      if (status !== 0) throw new Error(seen);
    }
    if (isAgain) throw new Error(seen);
    counts.askedAgain += 1;
    using another = await H2Client.connect(port, name);
    await stream(another, true);
  }

  async function repeat(what: string, act: () => Promise<void>): Promise<void> {
    while (isRunning) {
      try {
        await act();
      } catch (error) {
        failures.push(`${what}: ${String(error)}`);
        // One that is broken for good is told a few times, not thousands.
        if (failures.length > 20) return;
      }
      await new Promise(setImmediate);
    }
  }

  async function echo(client: EchoClient): Promise<void> {
    try {
      while (isRunning) {
        const text = `message ${(counts.echoes += 1)}`;
        if ((await client.echo(text)) !== text) throw new Error('another message came back');
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    } catch (error) {
      failures.push(`WebSocket: ${String(error)}`);
    }
  }

  const running = Promise.all([
    repeat('handshake', handshakes),
    repeat('handshake', handshakes),
    repeat('kept', () => kept()),
    repeat('kept', () => kept()),
    repeat('h2', streams),
    ...webSockets.map(echo),
  ]);
  const report = (): LoadReport => ({
    ...counts,
    failures: [...failures],
    openWebSockets: webSockets.filter(({ isOpen }) => isOpen).length,
  });
  return {
    get report() {
      return report();
    },
    async stop() {
      isRunning = false;
      await running;
      return report();
    },
    async [Symbol.asyncDispose]() {
      isRunning = false;
      agent.destroy();
      for (const client of sessions.values()) client[Symbol.dispose]();
      await Promise.all(webSockets.map((client) => client[Symbol.asyncDispose]()));
      await running;
    },
  };
}
