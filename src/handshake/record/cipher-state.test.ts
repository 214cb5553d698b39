import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeProvider } from '../crypto/index.ts';
import type { Aead } from '../crypto/provider.ts';
import { CipherState } from './cipher-state.ts';
import { HEADER_LENGTH } from './header.ts';

const IV = Uint8Array.from({ length: 12 }, (_, index) => 17 * index + 3);
const TEXT = Buffer.from('some text');

/** One direction's state at this sequence number, and the nonces that it has used. */
function stateAt(sequence: number) {
  const nonces: string[] = [];
  const real = nodeProvider.aead('aes-128-gcm', new Uint8Array(16).fill(7));
  const aead: Aead = {
    ...real,
    tagLength: 16,
    seal(nonce, ...rest) {
      nonces.push(Buffer.from(nonce).toString('hex'));
      real.seal(nonce, ...rest);
    },
    open: (nonce, ...rest) => real.open(nonce, ...rest),
    wipe: () => real.wipe(),
  };
  return { nonces, state: new CipherState(aead, IV.slice(), sequence) };
}

function seal(state: CipherState): Uint8Array {
  const out = new Uint8Array(CipherState.sealedLength(TEXT.length));
  out.set(TEXT, CipherState.contentAt(0));
  state.seal('application_data', TEXT.length, out, 0);
  return out;
}

function open(state: CipherState, record: Uint8Array): string | undefined {
  const opened = state.tryOpen(record.subarray(0, HEADER_LENGTH), record.slice(HEADER_LENGTH));
  return opened && Buffer.from(opened.content).toString();
}

/** RFC 8446 5.3, word for word: 64 bits in network byte order, padded to the length of the IV, XORed with it. */
function nonceOf(sequence: bigint): string {
  const iv = BigInt(`0x${Buffer.from(IV).toString('hex')}`);
  return (iv ^ sequence).toString(16).padStart(24, '0');
}

describe('sequence numbers', () => {
  it('go on across 2^32: each record has its own nonce, and only its own place', () => {
    const [sender, receiver] = [stateAt(2 ** 32 - 2), stateAt(2 ** 32 - 2)];
    const records = Array.from({ length: 4 }, () => seal(sender.state));
    expect(new Set(sender.nonces).size).toBe(4);
    expect(sender.state.sequence).toBe(2 ** 32 + 2);
    // Neither a later record, nor one whose number is the same in 32 bits.
    expect(open(receiver.state, records[1]!)).toBeUndefined();
    expect(open(stateAt(0).state, records[2]!)).toBeUndefined();
    for (const record of records) expect(open(receiver.state, record)).toBe('some text');
    expect(open(receiver.state, records[3]!)).toBeUndefined();
  });

  it('make the nonces of RFC 8446 5.3 for every number that a key can reach', () => {
    const numbers = fc.oneof(
      fc.integer({ min: 0, max: 2 ** 53 - 2 }),
      fc.constantFrom(0, 255, 256, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40, 2 ** 48),
    );
    fc.assert(
      fc.property(numbers, (sequence) => {
        const { state, nonces } = stateAt(sequence);
        seal(state);
        expect(nonces).toEqual([nonceOf(BigInt(sequence))]);
      }),
    );
  });
});
