import { expect } from 'chai';
import {
  goawayFrame,
  pingFrame,
  resetFrame,
  settingsAckFrame,
  settingsFrame,
  windowUpdateFrame,
} from '../../../../lib/proxy/http2/frame-writer.js';
import {
  EMPTY,
  frame,
  GOAWAY,
  PING,
  RST_STREAM,
  SETTINGS,
  u32,
  WINDOW_UPDATE,
} from '../../../support/raw-h2.js';

describe('Frames that are written', () => {
  const opaque = Buffer.from('12345678');
  const cases: readonly (readonly [title: string, written: Buffer, expected: Buffer])[] = [
    ['SETTINGS', settingsFrame([[3, 128]]), frame(SETTINGS, 0, 0, Buffer.from([0, 3, 0, 0, 0, 128]))],
    ['an acknowledgement of SETTINGS', settingsAckFrame(), frame(SETTINGS, 1, 0, EMPTY)],
    ['PING', pingFrame(opaque, false), frame(PING, 0, 0, opaque)],
    ['an answer to PING', pingFrame(opaque, true), frame(PING, 1, 0, opaque)],
    ['RST_STREAM', resetFrame(3, 8), frame(RST_STREAM, 0, 3, u32(8))],
    ['WINDOW_UPDATE', windowUpdateFrame(5, 70_000), frame(WINDOW_UPDATE, 0, 5, u32(70_000))],
    ['GOAWAY', goawayFrame(0x7fff_ffff, 11), frame(GOAWAY, 0, 0, Buffer.concat([u32(0x7fff_ffff), u32(11)]))],
  ];
  for (const [title, written, expected] of cases)
    it(`are ${title}, octet by octet`, () => expect(written).to.deep.equal(expected));
});
