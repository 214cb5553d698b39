/** Lessons of past vulnerabilities, by number; each is an attack that must fail. */
import { describe, expect, it } from 'vitest';
import { concat, fromAscii, fromHex } from '#runtime';
import { createTrustBundle } from '../bundle.ts';
import {
  encodeBasicConstraints,
  encodeExtension,
  type LeafOptions,
  makeAuthority,
  makeIssuer,
  makeKeys,
  makeLeaf,
  spkiOf,
} from '../testing/index.ts';
import { encodeCertificate, encodeName } from '../testing/certificate.ts';
import { parseCertificate } from '../x509/certificate.ts';
import { contextConstructed, contextPrimitive, TAG } from '../x509/der/tag.ts';
import { encode, encodeOctetBits, encodeOidValue, encodeSequence } from '../x509/der/writer.ts';
import { OID } from '../x509/oids.ts';
import { parseReferenceHost } from './host-name.ts';
import { verifyHost } from './verify-host.ts';
import { verifySvid } from './verify-svid.ts';
import { createWebRoots } from './web-roots.ts';

const NOW = Date.UTC(2026, 5, 1);
const ID = 'spiffe://mesh.test/ns/shop/sa/web';
const usual = makeAuthority({ now: NOW });

function svid(
  chain: readonly Uint8Array[],
  bundle = usual.bundle,
  role: 'client' | 'server' = 'server',
): string {
  const result = verifySvid({ role, chain }, bundle, NOW);
  return result.ok ? 'ok' : result.error.reason.code;
}

const webRoot = makeIssuer({ commonName: 'root', now: NOW });

function web(options: LeafOptions, host = 'www.example.com'): string {
  const name = parseReferenceHost(host);
  if (!name.ok) throw new Error(name.error);
  const { chain } = makeLeaf({ now: NOW, extendedKeyUsage: [OID.serverAuth], ...options }, webRoot);
  const result = verifyHost({ role: 'server', chain }, name.value, {
    roots: createWebRoots([webRoot.der]),
    time: NOW,
  });
  return result.ok ? 'ok' : result.error.reason.code;
}

/** A subjectAltName of these raw GeneralNames. */
function san(...names: readonly Uint8Array[]): Uint8Array {
  return encodeExtension(OID.subjectAltName, true, encodeSequence(...names));
}

const ia5 = (number: number, text: string): Uint8Array => encode(contextPrimitive(number), fromAscii(text));

describe("lesson 7 (CVE-2025-68121) and 8 (CVE-2022-21654): yesterday's verdict does not outlive its roots", () => {
  it('the same chain is refused by a bundle that lost its root, and by that of another domain', () => {
    const { chain } = usual.makeLeaf({ spiffeId: ID });
    expect(svid(chain)).toBe('ok');
    expect(svid(chain, makeAuthority({ now: NOW }).bundle)).toBe('unknown-authority');
    const other = createTrustBundle('other.test', [usual.root.der]);
    if (!other.ok) throw new Error(other.error.join());
    expect(svid(chain, other.value)).toBe('wrong-trust-domain');
  });
});

describe('lesson 9 (CVE-2022-21657): extended key usage holds on leaf and chain', () => {
  it.each([
    [{}, { extendedKeyUsage: [OID.clientAuth] }],
    [{}, { extendedKeyUsage: null }],
    [{ intermediates: [{ extendedKeyUsage: [OID.clientAuth] }] }, {}],
    [{ root: { extendedKeyUsage: [OID.clientAuth] } }, {}],
  ])('%j %j', (authority, leaf) => {
    const made = makeAuthority({ now: NOW, ...authority });
    expect(svid(made.makeLeaf({ spiffeId: ID, ...leaf }).chain, made.bundle)).toBe(
      'missing-extended-key-usage',
    );
  });
});

describe('lesson 10 (CVE-2022-21656): a name of one kind is never taken for one of another', () => {
  it.each([
    ['a mail address', { names: [{ email: 'www.example.com' }] }, 'malformed-name'],
    ['a mail address with it as host', { names: [{ email: 'a@www.example.com' }] }, 'host-name-mismatch'],
    ['a URI', { names: [{ uri: 'https://www.example.com/' }] }, 'host-name-mismatch'],
    ['another name', { names: [{ other: 'www.example.com' }] }, 'host-name-mismatch'],
    ['the common name', { commonName: 'www.example.com', names: [{ dns: 'a.test' }] }, 'host-name-mismatch'],
  ] satisfies [string, LeafOptions, string][])('%s', (_, options, code) => {
    expect(web(options)).toBe(code);
  });
  it('an address as DNS name, and a SPIFFE ID as anything but a URI', () => {
    expect(web({ names: [{ dns: '192.0.2.1' }] }, '192.0.2.1')).toBe('malformed-name');
    for (const names of [[{ dns: ID }], [{ email: ID }], [{ other: ID }]]) {
      expect(svid(usual.makeLeaf({ uriSans: [], names, commonName: ID }).chain)).toBe('no-spiffe-id');
    }
  });
});

describe('lesson 11 (CVE-2025-66220, CVE-2026-47778): NUL and what is not IA5 never cut or change a name', () => {
  it.each([
    ['NUL in a DNS name', ia5(2, 'www.example.com\0.evil.test')],
    ['NUL in a URI', ia5(6, `${ID}\0`)],
    ['NUL in a mail address', ia5(1, 'a@example.com\0')],
    ['UTF-8 in a DNS name', encode(contextPrimitive(2), new TextEncoder().encode('bücher.example'))],
    ['an octet above 127 in a URI', encode(contextPrimitive(6), fromHex('ff'))],
    ['a line break in a DNS name', ia5(2, 'www.example.com\nDNS:evil.test')],
  ])('%s', (_, name) => {
    expect(svid(usual.makeLeaf({ uriSans: [], commonName: 'web', extraExtensions: [san(name)] }).chain)).toBe(
      'malformed-certificate',
    );
  });
  it('NUL in an otherName is no name that anything is compared with', () => {
    const value = encode(contextConstructed(0), encode(TAG.utf8String, fromAscii('www.example.com\0evil')));
    const other = encode(contextConstructed(0), concat(encodeOidValue('1.3.6.1.4.1.311.20.2.3'), value));
    expect(web({ names: [], extraExtensions: [san(other)] })).toBe('host-name-mismatch');
  });
});

describe('lesson 12 (CVE-2021-44531, -44532, -44533): no identity is built from text', () => {
  it.each([
    'https://www.example.com',
    'DNS:www.example.com',
    'x, DNS:www.example.com',
    'x", DNS:"www.example.com',
  ])('a URI %j is a URI', (uri) => {
    expect(web({ names: [{ uri }] })).toBe('host-name-mismatch');
  });
  it('a common name with a separator in it, and two names in one', () => {
    expect(web({ commonName: 'x/CN=www.example.com', names: [{ dns: 'a.test' }] })).toBe(
      'host-name-mismatch',
    );
    expect(web({ names: [{ dns: 'a.test, DNS:www.example.com' }] })).toBe('malformed-name');
  });
  it('a subject in messages can forge no line and no second field', () => {
    const read = parseCertificate(makeIssuer({ commonName: 'x\n, CN=admin', now: NOW }).der);
    expect(read.ok && read.value.subject.text).toBe('CN=x\\0a\\, CN\\=admin');
  });
});

describe('lesson 17 (CVE-2022-0778, CVE-2020-0601): named curves only', () => {
  it('explicit parameters are refused before any arithmetic', () => {
    const keys = makeKeys('ec-p256');
    const explicit = encodeSequence(
      encodeSequence(encodeOidValue(OID.ecPublicKey), encodeSequence(encode(TAG.integer, Uint8Array.of(1)))),
      encodeOctetBits(new Uint8Array(65).fill(4)),
    );
    const der = encodeCertificate({
      issuer: encodeName('a'),
      subject: encodeName('b'),
      notBefore: NOW,
      notAfter: NOW + 1000,
      spki: explicit,
      extensions: [encodeBasicConstraints(true)],
      signingKey: keys.privateKey,
    });
    const read = parseCertificate(der);
    expect(read.ok ? 'accepted' : `${read.error.kind}: ${read.error.what}`).toBe(
      'unsupported-key: an elliptic curve key without a named curve',
    );
  });
  it('a point that is not on its curve', () => {
    const spki = spkiOf(makeKeys('ec-p256').publicKey);
    const off = spki.with(spki.length - 1, spki.at(-1)! ^ 1);
    const der = encodeCertificate({
      issuer: encodeName('a'),
      subject: encodeName('b'),
      notBefore: NOW,
      notAfter: NOW + 1000,
      spki: off,
      extensions: [],
      signingKey: makeKeys('ec-p256').privateKey,
    });
    expect(parseCertificate(der).ok).toBe(false);
  });
});

describe('lesson 18 (CVE-2022-3602): internationalized names are ASCII here', () => {
  it('punycode in names and constraints is compared, never decoded, whatever it holds', () => {
    const long = `xn--${'a'.repeat(59)}`;
    expect(web({ names: [{ dns: `${long}.example.com` }] }, `${long}.example.com`)).toBe('ok');
    expect(web({ names: [{ dns: `xn--${'9'.repeat(600)}.example.com` }] })).toBe('malformed-name');
    const made = makeAuthority({ now: NOW, intermediates: [{ permitted: [{ email: 'xn--'.repeat(200) }] }] });
    expect(svid(made.makeLeaf({ spiffeId: ID }).chain, made.bundle)).toBe('malformed-name');
  });
});

describe('lesson 19 (GHSA-2328-f5f3-gj25): absent basicConstraints are no CA', () => {
  it.each(['root', 'intermediate'])('in the %s', (which) => {
    const without = { ca: false };
    const made = which === 'root' ? undefined : makeAuthority({ now: NOW, intermediates: [without] });
    if (made !== undefined)
      return expect(svid(made.makeLeaf({ spiffeId: ID }).chain, made.bundle)).toBe('not-a-ca');
    const root = makeIssuer({ commonName: 'root', now: NOW, ...without });
    return expect(createTrustBundle('mesh.test', [root.der]).ok).toBe(false);
  });
});

describe('lesson 20 (GHSA-q67f-28xg-22rw, CVE-2025-66031, CVE-2022-24771): strict signatures and DER', () => {
  it('an Ed25519 signature with S + L', () => {
    const made = makeAuthority({ now: NOW, root: { keyType: 'ed25519' }, intermediates: [] });
    const der = made.makeLeaf({ spiffeId: ID }).chain[0]!;
    const order = (1n << 252n) + 27_742_317_777_372_353_535_851_937_790_883_648_493n;
    const s = BigInt(`0x${Buffer.from(der.slice(-32)).reverse().toString('hex')}`) + order;
    const forged = concat(
      der.slice(0, -32),
      new Uint8Array(Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse()),
    );
    expect(svid([der], made.bundle)).toBe('ok');
    expect(svid([forged], made.bundle)).toBe('certificate-signature-invalid');
  });
  it('nesting without end', () => {
    let deep = new Uint8Array(0);
    for (let level = 0; level < 5000; level += 1) deep = new Uint8Array(encodeSequence(deep));
    expect(parseCertificate(deep).ok).toBe(false);
    const name = encode(contextConstructed(4), deep.slice(0, 20_000));
    expect(
      parseCertificate(
        usual.makeLeaf({ uriSans: [], commonName: 'x', extraExtensions: [san(name)] }).chain[0]!,
      ).ok,
    ).toBe(false);
  });
});

describe('lesson 21 (CVE-2022-40716): several URIs name nobody', () => {
  it.each([[[ID, ID]], [[ID, 'spiffe://mesh.test/ns/shop/sa/admin']]])('%j', (uriSans) => {
    expect(svid(usual.makeLeaf({ uriSans }).chain)).toBe('several-uri-sans');
  });
});
