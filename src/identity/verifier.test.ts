import { describe, expect, it } from 'vitest';
import { Watch } from '#runtime';
import { FakeClock } from '#runtime/testing';
import { makeAuthority } from './testing/index.ts';
import { spiffeVerifier } from './verifier.ts';

const NOW = Date.UTC(2026, 5, 1);
const ID = 'spiffe://mesh.test/ns/shop/sa/web';

describe('spiffeVerifier', () => {
  const authority = makeAuthority({ now: NOW });
  const leaf = authority.makeLeaf({ spiffeId: ID });
  const presented = { role: 'server', chain: leaf.chain } as const;

  it('answers at once with what the engine needs', () => {
    const verifier = spiffeVerifier({ bundle: new Watch(authority.bundle), clock: new FakeClock(NOW) });
    const result = verifier.verify(presented);
    expect(result).toMatchObject({
      ok: true,
      value: { identity: ID, keyType: 'ec-p256', notAfter: NOW + 6 * 3_600_000 },
    });
    if (result instanceof Promise || !result.ok) throw new Error('refused');
    expect(Buffer.from(result.value.publicKey)).toEqual(
      leaf.keys.publicKey.export({ type: 'spki', format: 'der' }),
    );
    expect(result.value.spiffeId.path).toBe('/ns/shop/sa/web');
  });

  it('refuses an identity that is not the expected one, and names both', () => {
    const wanted = 'spiffe://mesh.test/ns/shop/sa/orders';
    const verifier = spiffeVerifier({
      bundle: new Watch(authority.bundle),
      clock: new FakeClock(NOW),
      accept: (id) => id.toString() === wanted,
      acceptText: wanted,
    });
    const result = verifier.verify(presented);
    if (result instanceof Promise || result.ok) throw new Error('accepted');
    expect(result.error.reason.code).toBe('spiffe-id-mismatch');
    expect(result.error.detail).toContain(`presented: ${ID}, serial`);
    expect(result.error.detail).toContain(`expected: ${wanted}`);
  });

  it('uses the newest bundle and the newest time', async () => {
    const clock = new FakeClock(NOW);
    const bundle = new Watch(authority.bundle);
    const verifier = spiffeVerifier({ bundle, clock });
    expect(verifier.verify(presented)).toMatchObject({ ok: true });
    bundle.set(makeAuthority({ now: NOW }).bundle);
    expect(verifier.verify(presented)).toMatchObject({ error: { reason: { code: 'unknown-authority' } } });
    bundle.set(authority.bundle);
    await clock.advance(7 * 3_600_000);
    expect(verifier.verify(presented)).toMatchObject({ error: { reason: { code: 'certificate-expired' } } });
  });
});
