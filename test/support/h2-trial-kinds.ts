/**
 * On what a trial of HTTP/2's frames is made: on no stream, or on one in each of its states (RFC 9113 §5.1).
 */
import { madeHead } from './h2-field-cases.js';
import type { SequenceMaker } from './h2-sequences.js';
import {
  DATA,
  EMPTY,
  END_HEADERS,
  END_STREAM,
  frame,
  HEADERS,
  PRIORITY,
  RST_STREAM,
  u32,
  WINDOW_UPDATE,
  type Field,
} from './raw-h2.js';

const PRIORITY_UPDATE = 0x10;

export interface Trial {
  readonly label: string;
  /** @param label its own, for the stream that it is about. */
  make(this: void, maker: SequenceMaker, label: string): void;
}

/** In short. */
export type TrialRow = readonly [label: string, make: Trial['make']];

/** Frames that need no stream. */
export const alone =
  (...frames: readonly Buffer[]) =>
  (maker: SequenceMaker): void =>
    maker.push(...frames);

/** A request whose body is still to come, and frames behind its head. */
export const onOpen =
  (frames: (id: number, maker: SequenceMaker) => readonly Buffer[], more: readonly Field[] = []) =>
  (maker: SequenceMaker, label: string): void => {
    const id = maker.takeId();
    const { fields } = madeHead(maker.random, { mark: maker.markOf(id), hasBody: true, isPlain: true, more });
    maker.expects(id, label);
    maker.push(...maker.head(id, fields, false), ...frames(id, maker));
  };

/** A whole request that is not answered yet, and frames behind it. */
export const onHalfClosed =
  (frames: (id: number, maker: SequenceMaker) => readonly Buffer[]) =>
  (maker: SequenceMaker, label: string): void => {
    const id = maker.takeId();
    const { fields } = madeHead(maker.random, { mark: maker.markOf(id), isPlain: true });
    maker.expects(id, label).isCancelled = label.startsWith('RST_STREAM ');
    maker.push(...maker.head(id, fields, true), ...frames(id, maker));
  };

/** One that the client has reset, and frames behind that. */
export const onReset =
  (frames: (id: number, maker: SequenceMaker) => readonly Buffer[]) =>
  (maker: SequenceMaker, label: string): void => {
    const id = maker.takeId();
    const { fields } = madeHead(maker.random, { mark: maker.markOf(id), hasBody: true, isPlain: true });
    maker.expects(id, label).isCancelled = true;
    maker.push(...maker.head(id, fields, false), frame(RST_STREAM, 0, id, u32(8)), ...frames(id, maker));
  };

/** One that was answered in an earlier stretch, and frames behind that. */
export const onAnswered =
  (frames: (id: number, maker: SequenceMaker) => readonly Buffer[]) =>
  (maker: SequenceMaker): void => {
    const id = maker.takeId();
    const { fields } = madeHead(maker.random, { mark: maker.markOf(id), isPlain: true });
    maker.expects(id, 'plain');
    maker.push(...maker.head(id, fields, true));
    maker.end('traffic');
    maker.push(...frames(id, maker));
  };

/** A head that is not written as `SequenceMaker.head` does. @param write what it does not write must not enter the table. */
export const rawHead =
  (write: (id: number, block: () => Buffer) => readonly Buffer[]) =>
  (maker: SequenceMaker, label: string): void => {
    const id = maker.takeId();
    const { fields } = madeHead(maker.random, { mark: maker.markOf(id), isPlain: true });
    maker.expects(id, label);
    maker.push(...write(id, () => maker.blocks.write(fields)));
  };

/** A block of these octets; what it means has nothing to do with what is in it. */
export const rawBlock = (...octets: readonly number[]): ((maker: SequenceMaker, label: string) => void) =>
  rawHead((id) => [frame(HEADERS, END_HEADERS | END_STREAM, id, Buffer.from(octets))]);

export const window = (id: number, increment: number): Buffer => frame(WINDOW_UPDATE, 0, id, u32(increment));
export const last = (id: number): Buffer => frame(DATA, END_STREAM, id, EMPTY);
export const priority = (id: number, on: number): Buffer =>
  frame(PRIORITY, 0, id, Buffer.concat([u32(on), Buffer.from([1])]));
export const update = (id: number, value: string): Buffer =>
  frame(PRIORITY_UPDATE, 0, 0, Buffer.concat([u32(id), Buffer.from(value)]));
