import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PresentedChain } from '#handshake';
import { Watch } from '#runtime';
import { FakeClock } from '#runtime/testing';
import { createTrustBundle, type TrustBundle } from './bundle.ts';
import { chainKey, MOST_KEPT, VerifiedChains } from './path/verified-chains.ts';
import { type LeafOptions, makeAuthority } from './testing/index.ts';
import { type SpiffePeer, spiffeVerifier, verifiedChainCounts } from './verifier.ts';

const NOW = Date.UTC(2026, 5, 1);
const HOUR = 3_600_000;
const ID = 'spiffe://mesh.test/ns/shop/sa/web';
const authority = makeAuthority({ now: NOW, intermediates: [{}] });

/** A bundle of the same roots that nothing was found out under. */
function freshBundle({ trustDomain, roots }: TrustBundle = authority.bundle): TrustBundle {
  const bundle = createTrustBundle(
    trustDomain,
    roots.map(({ der }) => der),
  );
  if (!bundle.ok) throw new Error(bundle.error.join());
  return bundle.value;
}

function leafOf(options: Partial<LeafOptions> = {}): readonly Uint8Array[] {
  return authority.makeLeaf({ spiffeId: ID, ...options }).chain;
}

class MovableClock extends FakeClock {
  time = NOW;

  override now(): number {
    return this.time;
  }
}

class Verifier {
  readonly clock = new MovableClock(NOW);
  readonly bundle = new Watch(freshBundle());
  readonly #verifier = spiffeVerifier({ bundle: this.bundle, clock: this.clock });

  /** The peer that was believed, or the reason; and whether it was answered without validating anything. */
  verify(presented: PresentedChain): { readonly said: SpiffePeer | string; readonly wasKnown: boolean } {
    const { hits } = verifiedChainCounts();
    const verdict = this.#verifier.verify(presented);
    if (verdict instanceof Promise) throw new Error('it answers at once');
    const wasKnown = verifiedChainCounts().hits > hits;
    return { said: verdict.ok ? verdict.value : verdict.error.reason.code, wasKnown };
  }

  /** As a handshake whose CertificateVerify held. */
  prove(presented: PresentedChain): void {
    const { said } = this.verify(presented);
    if (typeof said !== 'string') this.#verifier.proved?.(said);
  }
}

describe('a chain that was verified before', () => {
  const presented: PresentedChain = { role: 'server', chain: leafOf() };

  it('is known once its peer has proved its key, and not before', () => {
    const verifier = new Verifier();
    expect(verifier.verify(presented)).toMatchObject({ said: { identity: ID }, wasKnown: false });
    expect(verifier.verify(presented).wasKnown).toBe(false);
    verifier.prove(presented);
    expect(verifier.verify(presented)).toMatchObject({ said: { identity: ID }, wasKnown: true });
  });

  it('is known to every verifier under the bundle, and each has its own expectation', () => {
    const [bundle, clock] = [new Watch(freshBundle()), new FakeClock(NOW)];
    const first = spiffeVerifier({ bundle, clock });
    const verdict = first.verify(presented);
    if (verdict instanceof Promise || !verdict.ok) throw new Error('refused');
    first.proved?.(verdict.value);
    const { hits } = verifiedChainCounts();
    const other = spiffeVerifier({ bundle, clock, accept: () => false, acceptText: 'somebody else' });
    expect(other.verify(presented)).toMatchObject({ error: { reason: { code: 'spiffe-id-mismatch' } } });
    expect(verifiedChainCounts().hits).toBe(hits + 1);
  });

  it.each<[string, PresentedChain]>([
    ['in the other role', { ...presented, role: 'client' }],
    ['without its intermediate', { ...presented, chain: presented.chain.slice(0, 1) }],
    ['in another order', { ...presented, chain: presented.chain.toReversed() }],
    ['with another leaf of the same identity', { ...presented, chain: leafOf() }],
    ['with a certificate more', { ...presented, chain: [...presented.chain, presented.chain[1]!] }],
    ['with one bit changed', { ...presented, chain: [turned(presented.chain[0]!), presented.chain[1]!] }],
    ['cut elsewhere', { ...presented, chain: cutElsewhere(presented.chain) }],
  ])('is another %s', (_, other) => {
    const verifier = new Verifier();
    verifier.prove(presented);
    expect(verifier.verify(other)).toEqual({ ...new Verifier().verify(other), wasKnown: false });
  });

  it('is another under other roots, and under the same roots read again', () => {
    const verifier = new Verifier();
    verifier.prove(presented);
    verifier.bundle.set(makeAuthority({ now: NOW }).bundle);
    expect(verifier.verify(presented)).toEqual({ said: 'unknown-authority', wasKnown: false });
    verifier.bundle.set(freshBundle());
    expect(verifier.verify(presented)).toMatchObject({ said: { identity: ID }, wasKnown: false });
  });
});

it('never answers otherwise than a verifier that knows nothing, whatever was proved and however time goes', () => {
  const chains = [
    leafOf(),
    leafOf({ notAfter: NOW + HOUR }),
    leafOf({ notBefore: NOW + HOUR, notAfter: NOW + 3 * HOUR }),
    makeAuthority({ now: NOW, trustDomain: 'other.test' }).makeLeaf({ spiffeId: 'spiffe://other.test/a' })
      .chain,
    leafOf({ extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'] }),
  ];
  const step = fc.record({
    chain: fc.constantFrom(...chains),
    role: fc.constantFrom('client', 'server'),
    proved: fc.boolean(),
    time: fc.integer({ min: NOW - HOUR, max: NOW + 8 * HOUR }),
  });
  let known = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const verifier = new Verifier();
      for (const { chain, role, proved, time } of steps) {
        const presented = { role, chain };
        const naive = new Verifier();
        verifier.clock.time = time;
        naive.clock.time = time;
        if (proved) verifier.prove(presented);
        const { said, wasKnown } = verifier.verify(presented);
        if (wasKnown) known += 1;
        expect(said).toEqual(naive.verify(presented).said);
      }
    }),
    { numRuns: 40 },
  );
  expect(known).toBeGreaterThan(0);
});

describe('what is kept', () => {
  it('is bounded, and what was not asked for longest goes first', () => {
    const chains = new VerifiedChains<number>({ hits: 0, misses: 0 });
    const entry = (verdict: number) => ({ verdict, from: 0, until: 10 });
    for (let index = 0; index < MOST_KEPT; index += 1) chains.keep(String(index), entry(index));
    expect(chains.find('0', 5)).toBe(0);
    chains.keep('one more', entry(-1));
    expect(chains.size).toBe(MOST_KEPT);
    expect(chains.find('1', 5)).toBeUndefined();
    expect(chains.find('0', 5)).toBe(0);
    expect(chains.find('0', 11)).toBeUndefined();
  });

  it('has a key of a fixed length for any chain', () => {
    const chain = Array.from({ length: 8 }, () => new Uint8Array(60_000));
    expect(chainKey({ role: 'client', chain }).length).toBeLessThan(120);
  });
});

function turned(der: Uint8Array): Uint8Array {
  const copy = der.slice();
  copy[copy.length - 1]! ^= 1;
  return copy;
}

/** The same bytes one after the other, divided at another place. */
function cutElsewhere([leaf, issuer]: readonly Uint8Array[]): Uint8Array[] {
  const whole = new Uint8Array(Buffer.concat([leaf!, issuer!]));
  return [whole.slice(0, leaf!.length - 1), whole.slice(leaf!.length - 1)];
}
