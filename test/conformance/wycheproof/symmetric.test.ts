import { describe, expect, test } from 'vitest';
import { type CryptoProvider, hkdfExpand, hkdfExtract } from '#handshake/crypto';
import { concat, toHex } from '#runtime';
import { PROVIDERS } from './providers.ts';
import { fromHexText as bytes, groups, isExpected } from './vectors.ts';

type AeadName = Parameters<CryptoProvider['aead']>[0];

interface AeadHeader {
  readonly ivSize: number;
  readonly keySize: number;
  readonly tagSize: number;
}

/** RFC 8446 5.2, 5.3: nonces of 96 bits and tags of 128. */
const isOfTls = ({ ivSize, tagSize, keySize }: AeadHeader): boolean =>
  ivSize === 96 && tagSize === 128 && keySize !== 192;

/** Bytes. */
const MOST_ADDITIONAL_DATA = 512;

const AEADS: readonly (readonly [string, (bits: number) => AeadName])[] = [
  ['aes_gcm', (bits) => (bits === 128 ? 'aes-128-gcm' : 'aes-256-gcm')],
  ['chacha20_poly1305', () => 'chacha20-poly1305'],
];

describe.each(PROVIDERS)('Wycheproof on $name', (provider) => {
  test.for(AEADS)('%s', ([file, nameOf], context) => {
    let judged = 0;
    for (const group of groups<AeadHeader, 'key' | 'iv' | 'aad' | 'msg' | 'ct' | 'tag'>(context, file)) {
      if (!isOfTls(group)) continue;
      for (const one of group.tests) {
        // A record's header is 5 bytes; a provider need not take more than this.
        if (one.aad.length > 2 * MOST_ADDITIONAL_DATA) continue;
        const title = `case ${one.tcId}: ${one.comment}`;
        const aead = provider.aead(nameOf(group.keySize), bytes(one.key));
        const sealed = concat(bytes(one.ct), bytes(one.tag));
        const opened = aead.open(bytes(one.iv), bytes(one.aad), sealed);
        expect.soft(opened && toHex(opened), title).toBe(isExpected(one) ? one.msg : undefined);
        const out = new Uint8Array(sealed.length);
        aead.seal(bytes(one.iv), bytes(one.aad), bytes(one.msg), out, 0);
        expect.soft(toHex(out) === `${one.ct}${one.tag}`, title).toBe(isExpected(one));
        judged += 1;
      }
    }
    expect(judged).toBeGreaterThan(0);
  });

  test.for(['sha256', 'sha384'] as const)('hmac_%s', (hash, context) => {
    for (const group of groups<{ tagSize: number }, 'key' | 'msg' | 'tag'>(context, `hmac_${hash}`)) {
      for (const one of group.tests) {
        const tag = toHex(provider.hmac(hash, bytes(one.key), bytes(one.msg)).subarray(0, group.tagSize / 8));
        expect.soft(tag === one.tag, `case ${one.tcId}: ${one.comment}`).toBe(isExpected(one));
      }
    }
  });

  test.for(['sha256', 'sha384'] as const)('hkdf_%s', (hash, context) => {
    for (const { tests } of groups<unknown, 'ikm' | 'salt' | 'info' | 'okm'>(context, `hkdf_${hash}`)) {
      for (const one of tests) {
        const { size } = one as unknown as { size: number };
        const expand = (): string => {
          const key = hkdfExtract(provider, hash, bytes(one.salt), bytes(one.ikm));
          return toHex(hkdfExpand(provider, hash, key, bytes(one.info), size));
        };
        if (isExpected(one)) expect.soft(expand(), `case ${one.tcId}`).toBe(one.okm);
        else expect.soft(expand, `case ${one.tcId}`).toThrow('HKDF');
      }
    }
  });
});
