import { describe, expect, it } from 'vitest';
import { createWebRoots, parseReferenceHost, type ReferenceName, verifyHost } from '#identity/path';
import {
  encodeExtendedKeyUsage,
  encodeSubjectAltName,
  type IssuerOptions,
  type LeafOptions,
  makeIssuer,
  makeKeys,
  makeLeaf,
} from '../testing/index.ts';
import { OID } from '../x509/oids.ts';

const NOW = Date.UTC(2026, 5, 1);
const root = makeIssuer({ commonName: 'public root', now: NOW });
const roots = createWebRoots([root.der]);

function referenceName(text: string): ReferenceName {
  const name = parseReferenceHost(text);
  if (!name.ok) throw new Error(name.error);
  return name.value;
}

function verdict(chain: readonly Uint8Array[], host = 'www.example.com', trusted = roots): string {
  const input = { roots: trusted, time: NOW };
  const verified = verifyHost({ role: 'server', chain }, referenceName(host), input);
  return verified.ok ? 'ok' : verified.error.reason.code;
}

function leafFor(leaf: LeafOptions, issuer = root, above: readonly Uint8Array[] = []): readonly Uint8Array[] {
  return makeLeaf({ now: NOW, extendedKeyUsage: [OID.serverAuth], ...leaf }, issuer, above).chain;
}

describe('names that a certificate presents (RFC 9525 6.3)', () => {
  it.each([
    ['www.example.com', 'www.example.com', true],
    ['WWW.example.COM', 'www.EXAMPLE.com', true],
    ['www.example.com', 'www.example.com.', true],
    ['*.example.com', 'www.example.com', true],
    ['*.example.com', 'xn--bcher-kva.example.com', true],
    ['*.example.com', 'example.com', false],
    ['*.example.com', 'a.www.example.com', false],
    ['example.com', 'www.example.com', false],
    ['www.example.com', 'example.com', false],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example', true],
  ])('%s for %s: %s', (presented, host, matches) => {
    expect(verdict(leafFor({ names: [{ dns: presented }] }), host)).toBe(
      matches ? 'ok' : 'host-name-mismatch',
    );
  });

  it.each([
    'w*.example.com',
    '*w.example.com',
    'www.*.com',
    '*.*.example.com',
    '*',
    '*.com',
    '*example.com',
    'xn--*-a.example.com',
  ])('no certificate may present %s', (presented) => {
    expect(verdict(leafFor({ names: [{ dns: presented }] }))).toBe('malformed-name');
  });

  it.each([
    '.example.com',
    'www.example.com.',
    'www..example.com',
    '',
    ' www.example.com',
    '-w.example.com',
    'w_w.example.com',
    '192.0.2.1',
    `${'a'.repeat(64)}.example.com`,
  ])('nor %j', (presented) => {
    expect(verdict(leafFor({ names: [{ dns: presented }, { dns: 'www.example.com' }] }))).toBe(
      'malformed-name',
    );
  });

  it('an address matches an iPAddress of the same octets only', () => {
    const v4 = leafFor({ names: [{ ip: Uint8Array.of(192, 0, 2, 1) }] });
    expect(verdict(v4, '192.0.2.1')).toBe('ok');
    expect(verdict(v4, '192.0.2.2')).toBe('host-name-mismatch');
    expect(verdict(v4, '::ffff:c000:201')).toBe('host-name-mismatch');
    const v6 = leafFor({
      names: [{ ip: Uint8Array.of(0x20, 1, 0xd, 0xb8, ...Array<number>(11).fill(0), 1) }],
    });
    expect(verdict(v6, '2001:db8::1')).toBe('ok');
    expect(verdict(v6, '2001:DB8:0:0:0:0:0:1')).toBe('ok');
  });

  it.each(['192.0.2.01', '0x7f.1', '1:2:3', '1::2::3', 'bücher.example', 'a b', 'a\0b', ''])(
    'a caller cannot ask for %j',
    (text) => {
      expect(parseReferenceHost(text).ok).toBe(false);
    },
  );

  it('the common name never counts, and must not spell a presented name differently', () => {
    const names = [{ dns: 'other.example.com' }];
    expect(verdict(leafFor({ commonName: 'www.example.com', names }))).toBe('host-name-mismatch');
    expect(verdict(leafFor({ commonName: 'WWW.example.com', names: [{ dns: 'www.example.com' }] }))).toBe(
      'web-rule-broken',
    );
    expect(verdict(leafFor({ commonName: 'www.example.com' }))).toBe('web-rule-broken');
  });
});

describe('rules of the web', () => {
  const names = [{ dns: 'www.example.com' }];
  it.each<[string, Partial<IssuerOptions>, LeafOptions]>([
    ['leaf-is-a-ca', {}, { names, ca: true, commonName: 'www.example.com' }],
    ['leaf-is-a-ca', {}, { names, keyUsage: ['digitalSignature', 'cRLSign'] }],
    ['missing-extended-key-usage', {}, { names, extendedKeyUsage: null }],
    ['missing-extended-key-usage', {}, { names, extendedKeyUsage: [OID.clientAuth] }],
    ['web-rule-broken', {}, { names, extendedKeyUsage: [OID.serverAuth, OID.anyExtendedKeyUsage] }],
    ['web-rule-broken', { extendedKeyUsage: [OID.serverAuth] }, { names }],
    ['extension-misused', { keyUsage: null }, { names }],
    ['extension-misused', { keyIdentifiers: false }, { names }],
    ['name-constraint-violated', { permitted: [{ dns: 'example.org' }] }, { names }],
    ['ok', { permitted: [{ dns: 'example.com' }] }, { names }],
    ['malformed-name', { permitted: [{ dns: '.example.com' }] }, { names }],
    ['unsupported-public-key', {}, { names, keyType: 'ec-p521' }],
    ['weak-public-key', {}, { names, keyType: 'rsa-1024' }],
  ])('%s: %j, %j', (code, issuer, leaf) => {
    const own = makeIssuer({ commonName: 'root', now: NOW, ...issuer });
    expect(verdict(leafFor(leaf, own), 'www.example.com', createWebRoots([own.der]))).toBe(code);
  });

  it('an unreadable intermediate costs nothing but itself, and is named if the path lacks one', () => {
    const intermediate = makeIssuer({ commonName: 'intermediate', now: NOW }, root);
    const [leaf] = leafFor({ names }, intermediate);
    const garbage = Uint8Array.of(0x30, 0x80);
    expect(verdict([leaf!, garbage, intermediate.der])).toBe('ok');
    const input = { roots, time: NOW };
    const failed = verifyHost(
      { role: 'server', chain: [leaf!, garbage] },
      referenceName('www.example.com'),
      input,
    );
    expect(failed).toMatchObject({
      error: { detail: expect.stringContaining('left out: certificate 2 of 2') },
    });
  });

  it('a critical extendedKeyUsage', () => {
    const keys = makeKeys('ec-p256');
    const critical = encodeExtendedKeyUsage([OID.serverAuth], true);
    const chain = leafFor({
      names: [],
      extendedKeyUsage: null,
      keys,
      extraExtensions: [critical, encodeSubjectAltName(names, true)],
    });
    expect(verdict(chain)).toBe('web-rule-broken');
  });
});
