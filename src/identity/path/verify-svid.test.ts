import { describe, expect, it } from 'vitest';
import { createTrustBundle } from '../bundle.ts';
import { makeAuthority, makeIssuer } from '../testing/index.ts';
import { OID } from '../x509/oids.ts';
import { detailOf, HOUR, ID, judge, NOW, SECOND, usual, verify } from './testing.ts';

describe('verifySvid believes', () => {
  it.each(['ec-p256', 'ec-p384', 'ed25519', 'rsa'] as const)('a %s leaf and authority', (keyType) => {
    expect(judge({ root: { keyType }, intermediates: [{ keyType }] }, { keyType })).toBe(`ok ${ID} 3`);
  });

  it.each([
    ['ec-p256', 'ecdsa-with-SHA512'],
    ['ec-p384', 'ecdsa-with-SHA384'],
    ['rsa', 'RSA-PSS-SHA256'],
    ['rsa', 'RSA-PSS-SHA384'],
    ['rsa', 'RSA-PSS-SHA512'],
    ['rsa', 'RSA-SHA512'],
  ] as const)('a signature by %s with %s', (keyType, algorithm) => {
    expect(judge({ root: { keyType }, intermediates: [] }, { algorithm })).toBe(`ok ${ID} 2`);
  });

  it('both roles, and a subject beside the SPIFFE ID, and other kinds of names', () => {
    const leaf = { commonName: 'web', names: [{ dns: 'web.shop' }] };
    for (const role of ['client', 'server'] as const) expect(judge({}, leaf, role)).toBe(`ok ${ID} 3`);
  });

  it('a chain in any order, with a copy of the root and strangers in it', () => {
    const deep = makeAuthority({ now: NOW, intermediates: [{}, {}, {}] });
    const [leaf, ...above] = deep.makeLeaf({ spiffeId: ID }).chain;
    const stranger = makeIssuer({ commonName: 'stranger', now: NOW });
    expect(verify([leaf!, deep.root.der, above[1]!, stranger.der, above[2]!, above[0]!], deep.bundle)).toBe(
      `ok ${ID} 5`,
    );
  });

  it('the first and the last instant of validity', () => {
    const { chain } = usual.makeLeaf({ spiffeId: ID, notBefore: NOW, notAfter: NOW + HOUR });
    expect(verify(chain, usual.bundle, NOW)).toContain('ok');
    expect(verify(chain, usual.bundle, NOW + HOUR)).toContain('ok');
    expect(verify(chain, usual.bundle, NOW - 1)).toBe('certificate-not-yet-valid');
    // notAfter names a second, and all of it counts.
    expect(verify(chain, usual.bundle, NOW + HOUR + 999)).toContain('ok');
    expect(verify(chain, usual.bundle, NOW + HOUR + SECOND)).toBe('certificate-expired');
  });

  it('either of two roots that share a name, with and without key identifiers', () => {
    for (const keyIdentifiers of [true, false]) {
      const older = makeAuthority({ now: NOW, root: { keyIdentifiers } });
      const newer = makeAuthority({ now: NOW, root: { keyIdentifiers } });
      const both = createTrustBundle('mesh.test', [older.root.der, newer.root.der]);
      for (const authority of [older, newer]) {
        expect(verify(authority.makeLeaf({ spiffeId: ID }).chain, both.ok ? both.value : usual.bundle)).toBe(
          `ok ${ID} 3`,
        );
      }
    }
  });

  it('a path length that is just long enough, and self-issued CAs that do not count', () => {
    expect(judge({ root: { pathLength: 2 }, intermediates: [{ pathLength: 1 }, { pathLength: 0 }] })).toBe(
      `ok ${ID} 4`,
    );
    const same = { commonName: 'same' };
    expect(judge({ root: { pathLength: 1 }, intermediates: [{ ...same, pathLength: 0 }, same] })).toBe(
      `ok ${ID} 4`,
    );
  });

  it('CAs whose extended key usage covers the purpose', () => {
    for (const extendedKeyUsage of [[OID.serverAuth], [OID.anyExtendedKeyUsage]]) {
      expect(judge({ intermediates: [{ extendedKeyUsage }] })).toBe(`ok ${ID} 3`);
    }
  });

  it.each([
    [[{ uri: 'mesh.test' }], []],
    [[{ uri: 'MESH.test' }], []],
    [[{ uri: '.test' }], []],
    [[{ uri: 'other' }, { uri: 'mesh.test' }], []],
    [[], [{ uri: 'other' }]],
    [[{ dns: 'mesh.test' }], []],
  ])('names within the constraints %j but %j', (permitted, excluded) => {
    expect(judge({ intermediates: [{ permitted, excluded }] })).toBe(`ok ${ID} 3`);
  });
});

describe('details', () => {
  it('tell identity, serial, dates and by how much', () => {
    const { chain } = usual.makeLeaf({ spiffeId: ID, notBefore: NOW + 47 * SECOND, notAfter: NOW + HOUR });
    const detail = detailOf(chain);
    expect(detail).toContain(ID);
    expect(detail).toMatch(/serial [0-9a-f]{32}/);
    expect(detail).toContain('begins in 47 s by the clock here (2026-06-01T00:00:00.000Z)');
    expect(detailOf(chain, NOW + 50 * HOUR)).toContain('ended 2 d 1 h ago');
    expect(detailOf(chain, NOW + HOUR + 65 * SECOND)).toContain('ended 1 min 5 s ago');
    expect(detailOf(chain, NOW + 3 * HOUR)).toContain('ended 2 h 0 min ago');
  });

  it('name the issuer that is missing and the roots there are', () => {
    const detail = detailOf(usual.makeLeaf({ spiffeId: ID }).chain.slice(0, 1));
    expect(detail).toContain('CN=mesh.test intermediate 1');
    expect(detail).toContain('roots: CN=mesh.test root');
  });
});
