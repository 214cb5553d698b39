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
  makeIssuer,
  makeKeys,
  spkiOf,
  type TestCertificate,
} from '../testing/index.ts';
import { parseCertificate } from '../x509/certificate.ts';
import { OID } from '../x509/oids.ts';
import { inspectCertificate } from './inspect.ts';
import type { LeafTemplate } from './template.ts';

const NOW = Date.UTC(2026, 5, 1);
const issuer = makeIssuer({ commonName: 'issuer', now: NOW });
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
  publicKey: keys.publicKey,
};
const usage = encodeKeyUsage(['digitalSignature']);
const purposes = encodeExtendedKeyUsage([OID.serverAuth, OID.clientAuth]);
const names = encodeSubjectAltName([{ uri: URI }], true);

/** What a library that wrote something else than the template would have made. */
function inspect(changes: Partial<TestCertificate>): string {
  const der = encodeCertificate({
    serial: fromHex(template.serial),
    issuer: issuer.name,
    subject: encodeName(),
    notBefore: template.notBefore,
    notAfter: template.notAfter,
    spki: spkiOf(keys.publicKey),
    extensions: [usage, purposes, names],
    signingKey: issuer.keys.privateKey,
    ...changes,
  });
  const parsed = parseCertificate(issuer.der);
  const result = inspectCertificate(der, template, parsed.ok ? parsed.value : undefined);
  return result.ok ? 'as asked for' : `${result.error.reason.code}: ${result.error.detail}`;
}

describe('inspectCertificate', () => {
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
    ['keyUsage', { extensions: [encodeKeyUsage(['digitalSignature', 'keyCertSign']), purposes, names] }],
    ['keyUsage', { extensions: [purposes, names] }],
    ['extendedKeyUsage', { extensions: [usage, names] }],
    ['extendedKeyUsage', { extensions: [usage, encodeExtendedKeyUsage([OID.serverAuth]), names] }],
    [
      'basicConstraints',
      { subject: encodeName('web'), extensions: [usage, purposes, names, encodeBasicConstraints(true)] },
    ],
    [
      'unknown extensions',
      { extensions: [usage, purposes, names, encodeExtension('1.2.3', true, fromHex('0500'))] },
    ],
  ])('refuses another %s', (what, changes) => {
    const answer = inspect(changes);
    expect(answer).toMatch(/^issued-certificate-refused: .*not as asked for: /);
    expect(answer.split('not as asked for: ')[1]?.split(', ')).toContain(what);
  });

  it('refuses a signature of another key', () => {
    expect(inspect({ signingKey: makeKeys('ec-p256').privateKey })).toContain('does not hold');
  });
});
