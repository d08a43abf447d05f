/**
 * An accepted TCP connection below TLS, without Node's socket around it.
 *
 * Node would make a whole `net.Socket` for each connection: two stream states, a dozen listeners, a buffer of its own. Nothing
 * of that is used here but to carry TLS, which is a stream again. To do without costs 5 % less CPU for a whole handshake
 * with its request (`bench`). So the server's native handle tells us of connections, and their native handles what was read.
 *
 * What `TLSSocket` needs of the socket that it is given is little and the same from Node 20 to 26: that it is a `net.Socket`
 * by its prototype, `_handle`, `connecting`, `allowHalfOpen`, its lengths, `destroy`, and its events `close` and `error`.
 * Handles and what is read from them are undocumented: all that relies on them is in this file and in `shared-handle.ts`.
 */
import { Socket, type Server } from 'node:net';
import { plainAddress, type Endpoint } from './connection-info.js';
import { LeanEmitter } from './lean-emitter.js';

/** The connection below TLS, for those who only close it. */
export interface Transport {
  destroy(): unknown;
  /** Closes the connection with a reset. */
  resetAndDestroy(): unknown;
}

/** What goes over a connection, and ends with it. */
export interface Carried {
  /** Our end is being said, and has not been yet. */
  readonly isShuttingDown: boolean;
  /** It is being closed: nothing can be read or written any more. */
  onCarrierClosing(): void;
  onCarrierClosed(): void;
}

/** Receives what is read from a connection. */
export interface Reader {
  /** @param chunk null at the end, be it by an error. @returns whether to read on. */
  receive(chunk: Buffer | null): boolean;
}

/** Node's native stream handle, a `TCP` or a `Pipe`. */
export interface NativeHandle {
  /** Whether reading has been started: Node keeps this flag up to date itself. */
  reading: boolean;
  /** The bytes read since the start. */
  readonly bytesRead: number;
  /** Called with what was read, perhaps in a larger buffer; without anything at the end, or on an error. */
  onread: (this: NativeHandle, bytes?: ArrayBuffer) => void;
  readStart(): number;
  readStop(): number;
  close(done: (this: NativeHandle) => void): void;
  /** Not on a unix socket, like the next ones. */
  reset?(done: (this: NativeHandle) => void): number;
  getpeername?(out: NativeAddress): number;
  getsockname?(out: NativeAddress): number;
  [CONNECTION]?: RawConnection;
}

interface NativeAddress {
  address?: string;
  port?: number;
}

interface ServerInternals {
  readonly _handle: {
    onconnection: (this: unknown, errno: number, handle: NativeHandle) => void;
  } | null;
}

const CONNECTION = Symbol('connection');

/**
 * Makes a server hand over its connections as `RawConnection`s. To be called before it listens, which it has to do by `listenOnHandle`:
 * that sets the options of its connections.
 *
 * `server` does not count them: its `close` event does not wait for them.
 */
export function acceptRaw(server: Server, onConnection: (connection: RawConnection) => void): void {
  server.on('listening', () => {
    const listening = (server as unknown as ServerInternals)._handle;
    if (listening === null) return;
    listening.onconnection = (errno, handle) => {
      if (errno === 0) onConnection(new RawConnection(handle));
      else server.emit('error', new Error(`accepting a connection: system error ${errno}`));
    };
  });
}

export class RawConnection extends LeanEmitter implements Transport {
  /** Null once it is closed, and once a socket has it. */
  _handle: NativeHandle | null;
  readonly _parent = null;
  readonly connecting = false;
  readonly allowHalfOpen = false;
  #reader: Reader | undefined;
  #bytesRead = 0;
  #socket: Socket | undefined;
  #carried: Carried | undefined;

  /** @param handle of a new connection, from which nothing was read. */
  constructor(handle: NativeHandle) {
    super({ close: undefined, error: undefined, connect: undefined });
    this._handle = handle;
    handle[CONNECTION] = this;
  }

  /** Always 0: the connection has no buffers. */
  get readableLength(): number {
    return 0;
  }

  get writableLength(): number {
    return 0;
  }

  /** The client's address and port, while the connection is open. */
  get remote(): Endpoint {
    const out: NativeAddress = {};
    this._handle?.getpeername?.(out);
    return endpointOf(out);
  }

  /** Our own address and port, while the connection is open. */
  get local(): Endpoint {
    const out: NativeAddress = {};
    this._handle?.getsockname?.(out);
    return endpointOf(out);
  }

  /** Starts to read for `reader`, until TLS or a socket takes the connection over. */
  startReading(reader: Reader): void {
    const handle = this._handle;
    if (handle === null) return;
    this.#reader = reader;
    handle.onread = onBytes;
    handle.reading = true;
    handle.readStart();
  }

  /**
   * @param bytes begins with what was read.
   * @param bytesRead of all that was read until now.
   * @returns whether to read on.
   */
  receive(bytes: ArrayBuffer | undefined, bytesRead: number): boolean {
    const length = bytesRead - this.#bytesRead;
    this.#bytesRead = bytesRead;
    return this.#reader?.receive(bytes === undefined ? null : Buffer.from(bytes, 0, length)) ?? false;
  }

  /** Tells of the connection's end who goes over it. */
  carry(carried: Carried): void {
    this.#carried = carried;
  }

  /** Makes a Node socket, which owns the connection from then on. */
  toSocket(): Socket {
    const options = { handle: this._handle };
    this.#socket = new Socket(options as object);
    this.#socket.once('close', () => {
      this._handle = null;
      this.emit('close', false);
    });
    return this.#socket;
  }

  destroy(): this {
    if (this.#socket !== undefined) this.#socket.destroy();
    else this.#letGo()?.close(onClosed);
    return this;
  }

  /** Closes without a reset where that cannot be had: on a unix socket, or while our end is being said. */
  resetAndDestroy(): this {
    // libuv refuses a reset then, and Node's handle could not be closed any more.
    const mayReset = this.#carried?.isShuttingDown !== true;
    const handle = this.#letGo();
    if (!mayReset || handle?.reset?.(onClosed) !== 0) handle?.close(onClosed);
    return this;
  }

  #letGo(): NativeHandle | null {
    const handle = this._handle;
    this._handle = null;
    if (handle === null) return null;
    handle.onread = ignore;
    this.#carried?.onCarrierClosing();
    return handle;
  }

  /** For the handle: it is closed. */
  onClosed(): void {
    this.emit('close', false);
    this.#carried?.onCarrierClosed();
  }
}

// Node tests `instanceof Socket`, and would wrap anything else in a stream of its own. The prototype also has the methods of an
// event emitter.
Object.setPrototypeOf(RawConnection.prototype, Socket.prototype);

function onBytes(this: NativeHandle, bytes?: ArrayBuffer): void {
  if (this[CONNECTION]?.receive(bytes, this.bytesRead) === true) return;
  this.reading = false;
  this.readStop();
}

function onClosed(this: NativeHandle): void {
  this[CONNECTION]?.onClosed();
}

function ignore(): void {
  // Bytes that arrive after the connection was closed.
}

function endpointOf({ address, port }: NativeAddress): Endpoint {
  return { address: plainAddress(address), port: port ?? 0 };
}
