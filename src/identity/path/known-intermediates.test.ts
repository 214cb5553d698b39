import { describe, expect, it } from 'vitest';
import { createTrustBundle, type TrustBundle } from '../bundle.ts';
import { makeAuthority, makeIssuer, makeLeaf } from '../testing/index.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import { KnownIntermediates, MOST_KNOWN } from './known-intermediates.ts';
import { HOUR, ID, NOW, verify } from './testing.ts';

describe('an intermediate that was in a valid path', () => {
  it('changes no answer, whatever comes next', () => {
    const made = makeAuthority({ now: NOW, intermediates: [{ notAfter: NOW + HOUR }] });
    const [intermediate] = made.intermediates;
    const [leaf, above] = made.makeLeaf({ spiffeId: ID }).chain;
    const changed = flipLast(above!);
    const forged = flipLast(leaf!);
    const elsewhere = made.makeLeaf({ spiffeId: 'spiffe://other.test/ns/shop/sa/web' }).chain;
    const stranger = makeLeaf({ now: NOW, spiffeId: ID }, { ...intermediate!, keys: made.root.keys }, [
      above!,
    ]);
    const judge = [
      (bundle: TrustBundle) => verify([leaf!, above!], bundle),
      (bundle: TrustBundle) => verify([leaf!, changed], bundle),
      (bundle: TrustBundle) => verify([forged, above!], bundle),
      (bundle: TrustBundle) => verify(elsewhere, bundle),
      (bundle: TrustBundle) => verify(stranger.chain, bundle),
      (bundle: TrustBundle) => verify([leaf!, above!], bundle, NOW + 2 * HOUR),
      (bundle: TrustBundle) => verify([above!], bundle),
      (bundle: TrustBundle) => verify([leaf!], bundle),
    ];
    const nothingKnown = judge.map((answer) => answer(bundleOf(made.root.der)));
    expect(nothingKnown).toEqual([
      `ok ${ID} 3`,
      'certificate-signature-invalid',
      'certificate-signature-invalid',
      'wrong-trust-domain',
      'unknown-authority',
      'certificate-expired',
      'no-spiffe-id',
      'unknown-authority',
    ]);
    // What is known belongs to the object of the bundle: from the first answer on the intermediate is.
    expect(judge.map((answer) => answer(made.bundle))).toEqual(nothingKnown);
  });

  it('is not believed under roots that did not sign it', () => {
    const made = makeAuthority({ now: NOW });
    const { chain } = made.makeLeaf({ spiffeId: ID });
    expect(verify(chain, made.bundle)).toBe(`ok ${ID} 3`);
    // Of the same name, with another key.
    const other = makeAuthority({ now: NOW, root: { keyIdentifiers: false } });
    expect(verify(chain, other.bundle)).not.toContain('ok');
    expect(verify(chain, bundleOf(other.root.der, made.root.der))).toBe(`ok ${ID} 3`);
  });
});

describe('KnownIntermediates', () => {
  it('holds neither leaf nor root, knows the key that signed, and has a bound', () => {
    const made = makeAuthority({ now: NOW });
    const root = read(made.root.der);
    const leaf = read(made.makeLeaf({ spiffeId: ID }).chain[0]!);
    const known = new KnownIntermediates();
    const all = Array.from({ length: MOST_KNOWN + 3 }, (_, index) =>
      read(makeIssuer({ commonName: `${index}`, now: NOW }, made.root).der),
    );
    for (const intermediate of all) known.learn([leaf, intermediate, root]);
    expect(known.certificate(leaf.der)).toBeUndefined();
    expect(known.certificate(root.der)).toBeUndefined();
    expect(all.filter((one) => known.certificate(one.der) !== undefined)).toEqual(all.slice(3));
    const last = all.at(-1)!;
    expect(known.isSigned(last, root)).toBe(true);
    expect(known.isSigned(last, leaf)).toBe(false);
    // The same bytes read again are another object, of which nothing is known.
    expect(known.isSigned(read(last.der), root)).toBe(false);
    expect(known.isSigned(leaf, last)).toBe(false);
  });
});

function bundleOf(...roots: readonly Uint8Array[]): TrustBundle {
  const bundle = createTrustBundle('mesh.test', roots);
  if (!bundle.ok) throw new Error(bundle.error.join());
  return bundle.value;
}

function read(der: Uint8Array): Certificate {
  const parsed = parseCertificate(der);
  if (!parsed.ok) throw new Error(parsed.error.what);
  return parsed.value;
}

/** Another signature over the same contents: its last octet is one of `s`. */
function flipLast(der: Uint8Array): Uint8Array {
  const copy = der.slice();
  copy[copy.length - 1]! ^= 1;
  return copy;
}
