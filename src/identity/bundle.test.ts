import { describe, expect, it } from 'vitest';
import { createTrustBundle } from './bundle.ts';
import { makeAuthority, makeIssuer } from './testing/index.ts';

const a = makeIssuer({ commonName: 'a' });
const b = makeIssuer({ commonName: 'b' });

describe('createTrustBundle', () => {
  it('has one hash for the same roots in any order, once or twice', () => {
    const hashes = [
      [a.der, b.der],
      [b.der, a.der],
      [b.der, a.der, b.der],
    ].map((roots) => {
      const bundle = createTrustBundle('mesh.test', roots);
      return bundle.ok ? [bundle.value.hash, bundle.value.roots.length] : bundle.error;
    });
    expect(new Set(hashes.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(hashes[0]?.[1]).toBe(2);
    const other = createTrustBundle('mesh.test', [a.der]);
    expect(other.ok && other.value.hash).not.toBe(hashes[0]?.[0]);
  });

  it('tells every mistake', () => {
    const leaf = makeAuthority().makeLeaf({ spiffeId: 'spiffe://mesh.test/a' }).chain[0]!;
    const bundle = createTrustBundle('Mesh', [a.der, leaf, Uint8Array.of(1)]);
    expect(bundle.ok ? [] : bundle.error).toEqual([
      expect.stringContaining('lower-case'),
      expect.stringMatching(/^root 2: .*spiffe:\/\/mesh\.test\/a.*no CA certificate/),
      expect.stringMatching(/^root 3: at byte 0: certificate should be sequence/),
    ]);
    expect(createTrustBundle('mesh.test', [])).toMatchObject({
      ok: false,
      error: [expect.stringContaining('at least one')],
    });
  });
});
