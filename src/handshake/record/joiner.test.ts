import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat } from '#runtime';
import { MAX_MESSAGE } from '../limits.ts';
import { HANDSHAKE_TYPES } from '../messages/names.ts';
import { handshakeMessage, rechunk } from '../testing/wire.ts';
import { Joiner } from './joiner.ts';

const { client_hello, finished } = HANDSHAKE_TYPES;

describe('Joiner', () => {
  it('gives the same messages whatever the fragments', () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 });
    const lengths = fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(bodies, lengths, (contents, cuts) => {
        const messages = contents.map((body) => handshakeMessage(finished, body));
        const joiner = new Joiner();
        const out: Uint8Array[] = [];
        for (const fragment of rechunk(concat(...messages), cuts)) {
          joiner.push(fragment);
          for (let message = joiner.next(); message !== undefined; message = joiner.next())
            out.push(message.raw);
        }
        expect(out.map((raw) => Buffer.from(raw))).toEqual(messages.map((raw) => Buffer.from(raw)));
        expect(joiner.isEmpty).toBe(true);
      }),
    );
  });

  it('keeps its own copy: what gave a fragment may reuse its memory', () => {
    const fragment = Buffer.from(handshakeMessage(finished, new Uint8Array(32).fill(5)));
    const joiner = new Joiner();
    joiner.push(fragment.subarray(0, 20));
    joiner.push(fragment.subarray(20));
    const { raw } = joiner.next()!;
    fragment.fill(0);
    joiner.push(handshakeMessage(finished, new Uint8Array(32)));
    expect(raw.subarray(4)).toEqual(new Uint8Array(32).fill(5));
  });

  it('keeps a message in pieces of one byte in little more memory than its length', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const almostWhole = handshakeMessage(client_hello, new Uint8Array(MAX_MESSAGE.client_hello)).subarray(
      0,
      -1,
    );
    collect();
    const before = used();
    const joiners = Array.from({ length: 20 }, () => new Joiner());
    for (const joiner of joiners) {
      for (const byte of almostWhole) joiner.push(Uint8Array.of(byte));
      expect(joiner.next()).toBeUndefined();
    }
    collect();
    expect((used() - before) / joiners.length).toBeLessThan(4 * MAX_MESSAGE.client_hello);
  });
});

function used(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
