/**
 * Node's own TLS, as its `TLSSocket` is built on it: native handles and requests, without the streams around them.
 *
 * None of it is documented. It comes through `process.binding`, which is deprecated in the documentation (DEP0111) and may be taken away
 * or forbidden; and Node ends the process where a handle is called otherwise than it expects. So it is used on the versions that it
 * was tested with and nowhere else: `nativeTls` is undefined there, and `TLSSocket` does the same for more CPU.
 */
import type { CipherNameAndProtocol, SecureContext } from 'node:tls';
import type { NativeHandle } from './raw-connection.js';

/** With these the tests have passed. */
const OLDEST_MAJOR = 20;
const NEWEST_MAJOR = 26;

/** A request of ours to a handle, until it is answered. Not to be used again. */
export interface NativeRequest {
  /** @param status 0, or an error of the system (negative). */
  oncomplete: (this: NativeRequest, status: number, handle: unknown, message?: string) => void;
}

/** One side of TLS, on top of the handle of a connection. It must not be called any more when `destroySSL` was. */
export interface TlsHandle {
  /** The handle below. Node has it there, and so have those who look what is left to send. */
  _parent?: NativeHandle;
  /** Encrypted, and not written to the connection yet, in bytes. */
  readonly writeQueueSize: number;
  onhandshakestart: () => void;
  /** Called by OpenSSL while it reads. */
  onhandshakedone: (this: TlsHandle) => void;
  onerror: (this: TlsHandle, error: Error) => void;
  /**
   * Something has come: `nativeTls.readCount` bytes in the buffer of `useUserBuffer`, else in `bytes` from `nativeTls.readOffset` on; a
   * negative count is the end or an error. @returns the buffer for the next read; undefined: the same.
   */
  onread: (this: TlsHandle, bytes?: ArrayBuffer) => Buffer | undefined;
  setALPNProtocols(list: Buffer): void;
  /** Takes bytes that were read from the connection before. */
  receive(bytes: Buffer): void;
  useUserBuffer(buffer: Buffer): void;
  readStart(): number;
  readStop(): number;
  // While one of these is under way there must be no other. Encrypted, or copied, when they return.
  writeBuffer(request: NativeRequest, bytes: Buffer): number;
  writeLatin1String(request: NativeRequest, text: string): number;
  /** @param chunks buffers; or, not `isAllBuffers`, each buffer or text with its encoding behind it. */
  writev(request: NativeRequest, chunks: readonly unknown[], isAllBuffers: boolean): number;
  /** Says that we have ended. @returns 1 where there is nothing to wait for. */
  shutdown(request: NativeRequest): number;
  getProtocol(): string | null;
  getCipher(): CipherNameAndProtocol;
  isSessionReused(): boolean;
  getCertificate(): { readonly raw?: Buffer } | undefined;
  getALPNNegotiatedProtocol(): string | false | undefined;
  /** Lets OpenSSL go. Never while it is calling. */
  destroySSL(): void;
}

interface TlsBinding {
  /** @param hasOldWrites whether somebody else's write on the handle is under way. */
  readonly wrap: (
    handle: NativeHandle,
    context: unknown,
    isServer: boolean,
    hasOldWrites: boolean,
  ) => TlsHandle;
}

interface StreamBinding {
  readonly WriteWrap: new () => NativeRequest;
  readonly ShutdownWrap: new () => NativeRequest;
  /** Of the last call, at the indices below. */
  readonly streamBaseState: Int32Array;
  readonly kReadBytesOrError: number;
  readonly kArrayBufferOffset: number;
}

export class NativeTls {
  readonly WriteRequest: new () => NativeRequest;
  readonly ShutdownRequest: new () => NativeRequest;
  readonly #wrap: TlsBinding['wrap'];
  readonly #state: Int32Array;
  readonly #count: number;
  readonly #offset: number;

  constructor({ wrap }: TlsBinding, stream: StreamBinding) {
    this.#wrap = wrap;
    this.WriteRequest = stream.WriteWrap;
    this.ShutdownRequest = stream.ShutdownWrap;
    this.#state = stream.streamBaseState;
    this.#count = stream.kReadBytesOrError;
    this.#offset = stream.kArrayBufferOffset;
  }

  /** What was read, in bytes; negative: no more will be. To be asked in `onread`. */
  get readCount(): number {
    return this.#state[this.#count] ?? 0;
  }

  /** Where it begins. */
  get readOffset(): number {
    return this.#state[this.#offset] ?? 0;
  }

  /** The server's side of TLS on a connection that nothing is being written to. */
  serve(handle: NativeHandle, context: SecureContext): TlsHandle {
    return this.#wrap(handle, context.context, true, false);
  }
}

/** Flags of Node's whose work is done in the constructor of `TLSSocket`. */
const FLAGS_OF_SOCKETS = /^--(?:tls-keylog|trace-tls)\b/;

/** Undefined: this Node does not have it as we know it, or was told to show what its own sockets do. */
export const nativeTls = load(process);

/** @param of whose bindings. */
export function load(of: Pick<NodeJS.Process, 'version' | 'execArgv' | 'env'>): NativeTls | undefined {
  const major = Number(/^v(\d+)/.exec(of.version)?.[1]);
  const { binding } = of as { binding?: (name: string) => unknown };
  if (!(major >= OLDEST_MAJOR && major <= NEWEST_MAJOR) || binding === undefined) return undefined;
  const flags = [...of.execArgv, ...(of.env['NODE_OPTIONS'] ?? '').split(/\s+/)];
  if (flags.some((flag) => FLAGS_OF_SOCKETS.test(flag))) return undefined;
  try {
    const tls = binding.call(of, 'tls_wrap') as TlsBinding;
    const stream = binding.call(of, 'stream_wrap') as StreamBinding;
    const isWhole =
      typeof tls.wrap === 'function' &&
      typeof stream.WriteWrap === 'function' &&
      typeof stream.ShutdownWrap === 'function' &&
      stream.streamBaseState instanceof Int32Array &&
      typeof stream.kReadBytesOrError === 'number' &&
      typeof stream.kArrayBufferOffset === 'number';
    return isWhole ? new NativeTls(tls, stream) : undefined;
  } catch {
    // Forbidden, by `--permission` or a policy.
    return undefined;
  }
}
