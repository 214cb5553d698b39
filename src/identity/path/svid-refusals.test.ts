import { describe, expect, it } from 'vitest';
import { concat, fromHex } from '#runtime';
import { createTrustBundle } from '../bundle.ts';
import type { IDENTITY_REASONS } from '../reasons.ts';
import {
  type AuthorityOptions,
  encodeBasicConstraints,
  encodeExtension,
  type LeafOptions,
  makeAuthority,
  makeIssuer,
  makeKeys,
  makeLeaf,
  type TestIssuer,
} from '../testing/index.ts';
import { OID } from '../x509/oids.ts';
import { detailOf, HOUR, ID, judge, NOW, SECOND, usual, verify } from './testing.ts';
import { MOST_PRESENTED } from './verify-svid.ts';

type Code = keyof typeof IDENTITY_REASONS;

describe('verifySvid refuses', () => {
  const critical = encodeExtension('1.2.3.4', true, fromHex('0500'));
  it.each<[Code, string, AuthorityOptions, LeafOptions]>([
    ['certificate-expired', 'an expired leaf', {}, { notAfter: NOW - SECOND }],
    ['certificate-expired', 'an expired intermediate', { intermediates: [{ notAfter: NOW - SECOND }] }, {}],
    ['certificate-not-yet-valid', 'a leaf of the future', {}, { notBefore: NOW + 47 * SECOND }],
    [
      'certificate-not-yet-valid',
      'an intermediate of the future',
      { intermediates: [{ notBefore: NOW + HOUR }] },
      {},
    ],
    ['trust-anchor-expired', 'an expired root', { root: { notAfter: NOW - SECOND } }, {}],
    ['trust-anchor-not-yet-valid', 'a root of the future', { root: { notBefore: NOW + SECOND } }, {}],
    ['no-spiffe-id', 'no names', {}, { uriSans: [], commonName: ID }],
    ['no-spiffe-id', 'a SPIFFE ID as DNS name', {}, { uriSans: [], names: [{ dns: ID }] }],
    ['no-spiffe-id', 'a SPIFFE ID as mail address', {}, { uriSans: [], names: [{ email: ID }] }],
    ['no-spiffe-id', 'a SPIFFE ID as other name', {}, { uriSans: [], names: [{ other: ID }] }],
    ['several-uri-sans', 'two SPIFFE IDs', {}, { uriSans: [ID, 'spiffe://mesh.test/ns/shop/sa/admin'] }],
    ['several-uri-sans', 'one SPIFFE ID twice', {}, { uriSans: [ID, ID] }],
    ['several-uri-sans', 'a SPIFFE ID and a web address', {}, { uriSans: ['https://mesh.test/', ID] }],
    ['invalid-spiffe-id', 'a web address', {}, { spiffeId: 'https://mesh.test/' }],
    ['invalid-spiffe-id', 'a dot segment', {}, { spiffeId: 'spiffe://mesh.test/ns/../sa/web' }],
    ['invalid-spiffe-id', 'the trust domain itself', {}, { spiffeId: 'spiffe://mesh.test' }],
    [
      'wrong-trust-domain',
      'an identity of another domain under our root',
      { intermediates: [{ permitted: [] }] },
      { spiffeId: 'spiffe://other.test/ns/shop/sa/web' },
    ],
    ['missing-extended-key-usage', 'a leaf without the extension', {}, { extendedKeyUsage: null }],
    ['missing-extended-key-usage', 'a leaf for clients', {}, { extendedKeyUsage: [OID.clientAuth] }],
    [
      'missing-extended-key-usage',
      'a leaf for any purpose',
      {},
      { extendedKeyUsage: [OID.anyExtendedKeyUsage] },
    ],
    [
      'missing-extended-key-usage',
      'an intermediate for clients',
      { intermediates: [{ extendedKeyUsage: [OID.clientAuth] }] },
      {},
    ],
    [
      'missing-extended-key-usage',
      'a root for clients',
      { root: { extendedKeyUsage: [OID.clientAuth] } },
      {},
    ],
    ['missing-key-usage', 'a leaf without key usage', {}, { keyUsage: null }],
    ['missing-key-usage', 'a leaf that may not sign', {}, { keyUsage: ['keyEncipherment'] }],
    [
      'missing-key-usage',
      'an intermediate without keyCertSign',
      { intermediates: [{ keyUsage: ['digitalSignature'] }] },
      {},
    ],
    ['missing-key-usage', 'a root without keyCertSign', { root: { keyUsage: ['digitalSignature'] } }, {}],
    ['leaf-is-a-ca', 'a leaf with cA', {}, { ca: true, commonName: 'web' }],
    ['leaf-is-a-ca', 'a leaf with keyCertSign', {}, { keyUsage: ['digitalSignature', 'keyCertSign'] }],
    ['leaf-is-a-ca', 'a leaf with cRLSign', {}, { keyUsage: ['digitalSignature', 'cRLSign'] }],
    ['not-a-ca', 'an intermediate without basicConstraints', { intermediates: [{ ca: false }] }, {}],
    [
      'not-a-ca',
      'an intermediate with cA false',
      { intermediates: [{ extensions: [encodeBasicConstraints(false)] }] },
      {},
    ],
    ['path-length-exceeded', 'a CA below pathLen 0', { intermediates: [{ pathLength: 0 }, {}] }, {}],
    ['path-length-exceeded', 'a CA below a root with pathLen 0', { root: { pathLength: 0 } }, {}],
    [
      'path-length-exceeded',
      'a CA that raises its own pathLen',
      { root: { pathLength: 1 }, intermediates: [{ pathLength: 5 }, { pathLength: 5 }] },
      {},
    ],
    ['unknown-critical-extension', 'one in the leaf', {}, { extraExtensions: [critical] }],
    [
      'unknown-critical-extension',
      'one in the intermediate',
      { intermediates: [{ extraExtensions: [critical] }] },
      {},
    ],
    ['unknown-critical-extension', 'one in the root', { root: { extraExtensions: [critical] } }, {}],
    [
      'weak-signature-algorithm',
      'SHA-1 with RSA',
      { intermediates: [{ keyType: 'rsa' }] },
      { algorithm: 'RSA-SHA1' },
    ],
    [
      'weak-signature-algorithm',
      'MD5 with RSA',
      { intermediates: [{ keyType: 'rsa' }] },
      { algorithm: 'RSA-MD5' },
    ],
    ['weak-signature-algorithm', 'SHA-1 with ECDSA', {}, { algorithm: 'ecdsa-with-SHA1' }],
    [
      'weak-signature-algorithm',
      'SHA-1 on the intermediate',
      { root: { keyType: 'rsa' }, intermediates: [{ algorithm: 'RSA-SHA1' }] },
      {},
    ],
    ['weak-public-key', 'RSA of 1024 bits', {}, { keyType: 'rsa-1024' }],
    ['unsupported-public-key', 'P-521', {}, { keyType: 'ec-p521' }],
    [
      'name-constraint-violated',
      'another permitted domain',
      { intermediates: [{ permitted: [{ uri: 'other.test' }] }] },
      {},
    ],
    [
      'name-constraint-violated',
      'a permitted domain above ours only',
      { intermediates: [{ permitted: [{ uri: '.mesh.test' }] }] },
      {},
    ],
    [
      'name-constraint-violated',
      'a permitted domain of which ours is the end',
      { intermediates: [{ permitted: [{ uri: 'test' }] }] },
      {},
    ],
    [
      'name-constraint-violated',
      'an excluded domain',
      { intermediates: [{ excluded: [{ uri: 'mesh.test' }] }] },
      {},
    ],
    [
      'name-constraint-violated',
      'a constraint two CAs up',
      { intermediates: [{ permitted: [{ uri: 'other.test' }] }, {}] },
      {},
    ],
    [
      'name-constraint-violated',
      'a constraint of the root',
      { root: { permitted: [{ uri: 'other.test' }] } },
      {},
    ],
    [
      'name-constraint-violated',
      'a DNS name outside the permitted ones',
      { intermediates: [{ permitted: [{ dns: 'mesh.test' }] }] },
      { names: [{ dns: 'web.other.test' }] },
    ],
    [
      'name-constraint-unsupported',
      'a constrained name of a kind of its own',
      { intermediates: [{ permitted: [{ other: 'mesh.test' }] }] },
      { names: [{ other: 'web' }] },
    ],
    ['malformed-certificate', 'serial number zero', {}, { serial: Uint8Array.of(0) }],
  ])('%s: %s', (code, _, authority, leaf) => {
    expect(judge(authority, leaf)).toBe(code);
  });

  it('missing-extended-key-usage: a server certificate shown by a client', () => {
    expect(judge({}, { extendedKeyUsage: [OID.serverAuth] }, 'client')).toBe('missing-extended-key-usage');
  });

  it('unknown-authority: another CA, even one of the same names', () => {
    const other = makeAuthority({ now: NOW });
    expect(verify(other.makeLeaf({ spiffeId: ID }).chain)).toBe('unknown-authority');
    expect(verify([...other.makeLeaf({ spiffeId: ID }).chain, other.root.der])).toBe('unknown-authority');
  });

  it('unknown-authority: no intermediate, a self-signed leaf, a leaf beside a chain of others', () => {
    const { chain } = usual.makeLeaf({ spiffeId: ID });
    expect(verify(chain.slice(0, 1))).toBe('unknown-authority');
    const self = makeIssuer({ commonName: 'self', now: NOW });
    const own = makeLeaf({ spiffeId: ID, commonName: 'self', keys: self.keys, now: NOW }, self);
    expect(verify(own.chain)).toBe('unknown-authority');
    expect(verify([...own.chain, ...chain])).toBe('unknown-authority');
  });

  it('not-a-ca: a leaf that was used to sign another leaf', () => {
    const first = usual.makeLeaf({
      spiffeId: ID,
      commonName: 'web',
      keyUsage: ['digitalSignature', 'keyCertSign'],
    });
    const rogue: TestIssuer = {
      der: first.chain[0]!,
      name: makeIssuer({ commonName: 'web' }).name,
      keys: first.keys,
    };
    const forged = makeLeaf(
      { spiffeId: 'spiffe://mesh.test/ns/shop/sa/admin', now: NOW },
      rogue,
      first.chain,
    );
    expect(verify(forged.chain)).toBe('not-a-ca');
  });

  it('certificate-signature-invalid: every changed bit of the signature and of the key', () => {
    const { chain } = usual.makeLeaf({ spiffeId: ID });
    const leaf = chain[0]!;
    for (const at of [leaf.length - 1, leaf.length - 20, leaf.length - 40]) {
      const changed = leaf.with(at, leaf[at]! ^ 1);
      expect(verify([changed, ...chain.slice(1)])).toMatch(/^certificate-signature-invalid$/);
    }
    const end = Buffer.from(leaf).indexOf('sa/web');
    const renamed = leaf.with(end + 5, 'x'.charCodeAt(0));
    expect(verify([renamed, ...chain.slice(1)])).toBe('certificate-signature-invalid');
  });

  it('certificate-signature-invalid: an algorithm of another kind of key', () => {
    const rsa = makeAuthority({ now: NOW, intermediates: [{ keyType: 'rsa' }] });
    const leaf = rsa.makeLeaf({ spiffeId: ID }).chain[0]!;
    const ecdsa = makeLeaf(
      { spiffeId: ID, now: NOW },
      {
        ...rsa.intermediates[0]!,
        keys: { ...rsa.intermediates[0]!.keys, privateKey: makeKeys('ec-p256').privateKey },
      },
    );
    expect(verify([leaf, rsa.intermediates[0]!.der], rsa.bundle)).toContain('ok');
    expect(verify([ecdsa.chain[0]!, rsa.intermediates[0]!.der], rsa.bundle)).toBe(
      'certificate-signature-invalid',
    );
  });

  it('unsupported-signature-algorithm: ECDSA parameters that RFC 5758 forbids', () => {
    const { chain } = usual.makeLeaf({ spiffeId: ID });
    // Both AlgorithmIdentifiers are replaced by one of an algorithm that nobody knows, of the same length.
    const unknown = Buffer.from(
      Buffer.from(chain[0]!).toString('hex').replaceAll('2a8648ce3d040302', '2a8648ce3d040309'),
      'hex',
    );
    expect(verify([unknown, ...chain.slice(1)])).toBe('unsupported-signature-algorithm');
  });

  it('malformed-certificate: says which one and at which byte', () => {
    const { chain } = usual.makeLeaf({ spiffeId: ID });
    expect(verify([chain[0]!, Uint8Array.of(0x30, 0x80)])).toBe('malformed-certificate');
    expect(detailOf([chain[0]!, Uint8Array.of(0x30, 0x80)])).toBe(
      'certificate 2 of 2 at byte 1: certificate has an indefinite length',
    );
    expect(verify([concat(chain[0]!, Uint8Array.of(0)), ...chain.slice(1)])).toBe('malformed-certificate');
    expect(verify([])).toBe('malformed-certificate');
  });

  it('too-many-certificates', () => {
    const { chain } = usual.makeLeaf({ spiffeId: ID });
    const many = Array.from({ length: MOST_PRESENTED + 1 }, () => chain[0]!);
    expect(verify(many)).toBe('too-many-certificates');
  });

  it('certificate-signature-invalid: look-alikes that chain in every order end at their signatures', () => {
    // Two names that issue each other, four keys each, no key identifiers: every order of them is a path by names.
    const at = { now: NOW, keyIdentifiers: false };
    const [x, y] = [makeIssuer({ commonName: 'x', ...at }), makeIssuer({ commonName: 'y', ...at })];
    const impostors = [0, 1, 2].flatMap(() => [
      makeIssuer({ commonName: 'x', ...at }, y),
      makeIssuer({ commonName: 'y', ...at }, x),
    ]);
    const bundle = createTrustBundle('mesh.test', [y.der]);
    const leaf = makeLeaf({ spiffeId: ID, now: NOW }, { ...x, keys: makeKeys('ec-p256') });
    const chain = [leaf.chain[0]!, ...impostors.map((one) => one.der)];
    expect(verify(chain, bundle.ok ? bundle.value : usual.bundle)).toBe('certificate-signature-invalid');
  });

  it('a loop of two CAs that issued each other', () => {
    const a = makeKeys('ec-p256');
    const b = makeKeys('ec-p256');
    const rootA = makeIssuer({ commonName: 'a', keys: a, now: NOW });
    const rootB = makeIssuer({ commonName: 'b', keys: b, now: NOW });
    const aByB = makeIssuer({ commonName: 'a', keys: a, now: NOW }, rootB);
    const bByA = makeIssuer({ commonName: 'b', keys: b, now: NOW }, rootA);
    const leaf = makeLeaf({ spiffeId: ID, now: NOW }, rootA);
    expect(verify([leaf.chain[0]!, aByB.der, bByA.der])).toBe('unknown-authority');
  });
});
