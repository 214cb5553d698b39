import { describe, expect, it } from 'vitest';
import { fromHex } from '#runtime';
import { parseSpiffeId } from '../spiffe-id.ts';
import {
  encodeBasicConstraints,
  encodeCertificate,
  encodeExtendedKeyUsage,
  encodeExtension,
  encodeKeyUsage,
  encodeName,
  encodeSubjectAltName,
  makeAuthority,
  makeIssuer,
  makeKeys,
  spkiOf,
  type TestCertificate,
  type TestIssuer,
} from '../testing/index.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import { OID } from '../x509/oids.ts';
import { inspectAuthority, inspectLeaf } from './inspect.ts';
import type { AuthorityTemplate, LeafTemplate } from './template.ts';

const NOW = Date.UTC(2026, 5, 1);
const authority = makeAuthority({ now: NOW });
const issuer = authority.intermediates[0]!;
const keys = makeKeys('ec-p256');
const URI = 'spiffe://mesh.test/ns/shop/sa/web';
const id = parseSpiffeId(URI);
if (!id.ok) throw new Error(id.error);
const template: LeafTemplate = {
  kind: 'leaf',
  dnsNames: [],
  identity: id.value,
  pod: undefined,
  serial: '11223344556677889900aabbccddeeff',
  notBefore: NOW,
  notAfter: NOW + 3_600_000,
  spki: spkiOf(keys.publicKey),
};
const usage = encodeKeyUsage(['digitalSignature']);
const purposes = encodeExtendedKeyUsage([OID.serverAuth, OID.clientAuth]);
const names = encodeSubjectAltName([{ uri: URI }], true);
const elsewhere = encodeSubjectAltName([{ uri: 'spiffe://other.test/ns/shop/sa/web' }], true);

/** What a writer that made something else than the template would have made. */
function inspect(changes: Partial<TestCertificate>, by: TestIssuer = issuer): string {
  const der = encodeCertificate({
    serial: fromHex(template.serial),
    issuer: by.name,
    subject: encodeName(),
    notBefore: template.notBefore,
    notAfter: template.notAfter,
    spki: spkiOf(keys.publicKey),
    extensions: [usage, purposes, names],
    signingKey: by.keys.privateKey,
    ...changes,
  });
  const result = inspectLeaf([der, by.der], template, parsed(issuer), authority.bundle, NOW);
  return result.ok ? 'as asked for' : `${result.error.reason.code}: ${result.error.detail}`;
}

function parsed(made: TestIssuer): Certificate {
  const certificate = parseCertificate(made.der);
  if (!certificate.ok) throw new Error(certificate.error.what);
  return certificate.value;
}

describe('inspectLeaf', () => {
  it('lets through what the template says', () => {
    expect(inspect({})).toBe('as asked for');
  });

  it.each<[string, Partial<TestCertificate>]>([
    ['serial', { serial: fromHex('01') }],
    ['notBefore', { notBefore: NOW - 1000 }],
    ['notAfter', { notAfter: NOW + 3_601_000 }],
    ['public key', { spki: spkiOf(makeKeys('ec-p256').publicKey) }],
    ['subject', { subject: encodeName('admin') }],
    ['subjectAltName', { extensions: [usage, purposes, encodeSubjectAltName([{ uri: `${URI}x` }], true)] }],
    [
      'subjectAltName',
      { extensions: [usage, purposes, encodeSubjectAltName([{ uri: URI }, { dns: 'a' }], true)] },
    ],
    ['extendedKeyUsage', { extensions: [usage, encodeExtendedKeyUsage([OID.serverAuth]), names] }],
  ])('refuses what peers would take, with another %s', (what, changes) => {
    const answer = inspect(changes);
    expect(answer).toMatch(/^issued-certificate-refused: .*not as asked for: /);
    expect(answer.split('not as asked for: ')[1]?.split(', ')).toContain(what);
  });

  it.each<[string, Partial<TestCertificate>]>([
    ['leaf-is-a-ca', { extensions: [encodeKeyUsage(['digitalSignature', 'keyCertSign']), purposes, names] }],
    ['missing-key-usage', { extensions: [purposes, names] }],
    ['missing-extended-key-usage', { extensions: [usage, names] }],
    ['missing-extended-key-usage', { extensions: [usage, encodeExtendedKeyUsage([OID.clientAuth]), names] }],
    [
      'leaf-is-a-ca',
      { subject: encodeName('web'), extensions: [usage, purposes, names, encodeBasicConstraints(true)] },
    ],
    [
      'unknown-critical-extension',
      { extensions: [usage, purposes, names, encodeExtension('1.2.3', true, fromHex('0500'))] },
    ],
    ['certificate-signature-invalid', { signingKey: makeKeys('ec-p256').privateKey }],
    ['wrong-trust-domain', { extensions: [usage, purposes, elsewhere] }],
  ])('refuses what peers would refuse with %s', (code, changes) => {
    expect(inspect(changes)).toContain(`issued-certificate-refused: it is refused with ${code}: `);
  });

  it('refuses what another authority of the same root signed', () => {
    const root = authority.root;
    const other = makeIssuer({ commonName: 'other', now: NOW, permitted: [{ uri: 'mesh.test' }] }, root);
    expect(inspect({}, other)).toContain('another authority than');
    // Nor does one that was known before lend it its name.
    expect(inspect({})).toBe('as asked for');
    expect(inspect({ signingKey: other.keys.privateKey })).toContain('certificate-signature-invalid');
  });
});

describe('inspectAuthority', () => {
  const intermediate: AuthorityTemplate = {
    kind: 'intermediate',
    commonName: 'mesh.test intermediate 1',
    organization: '',
    serial: parsed(issuer).serial,
    notBefore: parsed(issuer).notBefore,
    notAfter: parsed(issuer).notAfter,
    publicKey: issuer.keys.publicKey,
    pathLength: 0,
    permittedUriHost: 'mesh.test',
  };
  const judge = (changes: Partial<AuthorityTemplate>, by = authority.root): string => {
    const result = inspectAuthority(issuer.der, { ...intermediate, ...changes }, parsed(by));
    return result.ok ? 'as asked for' : result.error.detail;
  };

  it('lets through what the template says', () => {
    expect(judge({})).toBe('as asked for');
  });

  it.each<[string, Partial<AuthorityTemplate>]>([
    ['serial', { serial: '01' }],
    ['public key', { publicKey: keys.publicKey }],
    ['basicConstraints', { pathLength: 1 }],
    ['nameConstraints', { permittedUriHost: undefined }],
    ['nameConstraints', { permittedUriHost: 'other.test' }],
  ])('refuses another %s', (what, changes) => {
    expect(judge(changes).split('not as asked for: ')[1]?.split(', ')).toContain(what);
  });

  it('refuses a signature of another key', () => {
    expect(judge({}, makeIssuer({ commonName: 'mesh.test root', now: NOW }))).toContain('does not hold');
  });
});
