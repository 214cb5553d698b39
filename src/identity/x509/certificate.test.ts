import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromHex } from '#runtime';
import {
  encodeBasicConstraints,
  encodeCertificate,
  encodeExtension,
  encodeName,
  encodeSubjectAltName,
  makeAuthority,
  makeIssuer,
  makeKeys,
  spkiOf,
  type TestCertificate,
} from '../testing/index.ts';
import { parseCertificate } from './certificate.ts';
import { contextPrimitive, TAG } from './der/tag.ts';
import { encode, encodeOctetBits, encodeOidValue, encodeSequence } from './der/writer.ts';
import { LIMITS } from './limits.ts';

const NOW = Date.UTC(2026, 5, 1);
const keys = makeKeys('ec-p256');

/** A valid certificate with `changes`; it need not be believable, only readable. */
function certificate(changes: Partial<TestCertificate> = {}): Uint8Array {
  return encodeCertificate({
    issuer: encodeName('issuer'),
    subject: encodeName('subject'),
    notBefore: NOW,
    notAfter: NOW + 3_600_000,
    spki: spkiOf(keys.publicKey),
    extensions: [encodeBasicConstraints(false)],
    signingKey: keys.privateKey,
    ...changes,
  });
}

function problemOf(der: Uint8Array): string {
  const parsed = parseCertificate(der);
  return parsed.ok ? 'accepted' : `${parsed.error.kind} at ${parsed.error.offset}: ${parsed.error.what}`;
}

describe('parseCertificate', () => {
  it('reads the same as OpenSSL does', () => {
    const authority = makeAuthority({ now: NOW });
    for (const keyType of ['ec-p256', 'ec-p384', 'ed25519', 'rsa'] as const) {
      const [der] = authority.makeLeaf({ keyType, spiffeId: 'spiffe://mesh.test/a', commonName: 'A' }).chain;
      const parsed = parseCertificate(der!);
      const theirs = new X509Certificate(der!);
      if (!parsed.ok) throw new Error(parsed.error.what);
      const ours = parsed.value;
      expect(ours.publicKey.type).toBe(keyType);
      expect(ours.serial).toBe(theirs.serialNumber.toLowerCase());
      expect(new Date(ours.notBefore)).toEqual(theirs.validFromDate);
      expect(new Date(ours.notAfter)).toEqual(theirs.validToDate);
      expect(ours.subject.text).toBe(theirs.subject);
      expect(ours.publicKey.key.equals(theirs.publicKey)).toBe(true);
      expect(ours.extensions.subjectAltName).toEqual([{ type: 'uri', text: 'spiffe://mesh.test/a' }]);
      expect([...(ours.extensions.keyUsage ?? [])]).toEqual(['digitalSignature']);
      expect(theirs.subjectAltName).toBe('URI:spiffe://mesh.test/a');
    }
  });

  it('reads what an intermediate says about those below it', () => {
    const [intermediate] = makeAuthority({ now: NOW }).intermediates;
    const parsed = parseCertificate(intermediate!.der);
    expect(parsed.ok && parsed.value.extensions).toMatchObject({
      basicConstraints: { ca: true, pathLength: 0 },
      nameConstraints: { permitted: [{ type: 'uri', text: 'mesh.test' }], excluded: [] },
      unknownCritical: [],
    });
    expect(parsed.ok && [...(parsed.value.extensions.keyUsage ?? [])]).toEqual(['keyCertSign', 'cRLSign']);
  });

  it('reads every kind of general name as its own kind', () => {
    const names = [
      { uri: 'spiffe://mesh.test/a' },
      { dns: 'spiffe://mesh.test/b' },
      { email: 'a@b' },
      { ip: Uint8Array.of(10, 0, 0, 1) },
      { other: 'spiffe://mesh.test/c' },
    ];
    const parsed = parseCertificate(certificate({ extensions: [encodeSubjectAltName(names)] }));
    expect(parsed.ok && parsed.value.extensions.subjectAltName?.map((name) => name.type)).toEqual([
      'uri',
      'dns',
      'email',
      'ip',
      'other',
    ]);
  });

  it('keeps its own copy of the bytes', () => {
    const der = certificate();
    const parsed = parseCertificate(der);
    der.fill(0);
    expect(parsed.ok && parsed.value.der[0]).toBe(TAG.sequence);
  });

  it('refuses every truncation', () => {
    for (const der of [certificate(), makeAuthority({ now: NOW }).intermediates[0]!.der]) {
      for (let length = 0; length < der.length; length += 1) {
        expect(parseCertificate(der.subarray(0, length)).ok).toBe(false);
      }
    }
  });

  it('refuses bytes after the certificate', () => {
    expect(problemOf(concat(certificate(), Uint8Array.of(0)))).toContain('1 unexpected bytes at the end');
  });

  it('answers any mutation with a value, and never reads it as another certificate', () => {
    const der = makeAuthority({ now: NOW }).makeLeaf({ spiffeId: 'spiffe://mesh.test/a' }).chain[0]!;
    const edit = fc.record({
      at: fc.nat(der.length - 1),
      value: fc.nat(255),
      remove: fc.nat(3),
      insert: fc.uint8Array({ maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        let bytes = der;
        for (const { at, value, remove, insert } of edits) {
          bytes = concat(
            bytes.subarray(0, at),
            Uint8Array.of(value),
            insert,
            bytes.subarray(at + 1 + remove),
          );
        }
        const parsed = parseCertificate(bytes);
        if (parsed.ok) expect(Buffer.compare(parsed.value.der, bytes)).toBe(0);
        else expect(parsed.error.offset).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 3000 },
    );
  });

  it('answers any bytes with a value', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(parseCertificate(bytes).ok).toBe(false);
      }),
    );
  });

  const algorithmWithNull = fromHex('300c06082a8648ce3d0403020500');
  const san = encodeSubjectAltName([{ uri: 'spiffe://mesh.test/a' }]);
  const unknownPurpose = encodeExtension('2.5.29.37', false, encodeSequence());
  it.each<[string, Partial<TestCertificate>, string]>([
    ['version 1', { version: undefined }, 'has version 1'],
    ['version 2', { version: 1 }, 'has version 2'],
    ['version 4', { version: 3 }, 'has version 4'],
    ['negative serial', { serial: Uint8Array.of(0x80) }, 'serialNumber is negative'],
    ['21 octets of serial', { serial: new Uint8Array(21).fill(1) }, 'serialNumber has 21 octets'],
    ['padded serial', { serial: Uint8Array.of(0, 1) }, 'not in its shortest form'],
    ['empty serial', { serial: new Uint8Array(0) }, 'integer without octets'],
    ['other algorithm outside', { outerAlgorithm: fromHex('300506032b6570') }, 'signatureAlgorithm differs'],
    ['other parameters outside', { outerAlgorithm: algorithmWithNull }, 'signatureAlgorithm differs'],
    ['empty issuer', { issuer: encodeName() }, 'issuer is empty'],
    [
      'empty subject, SAN not critical',
      { subject: encodeName(), extensions: [san] },
      'no critical subjectAltName',
    ],
    [
      'empty subject of a CA',
      { subject: encodeName(), extensions: [encodeBasicConstraints(true)] },
      'CA certificate has an empty subject',
    ],
    [
      'issuerUniqueID',
      { extensions: [], tbsTail: encode(contextPrimitive(1), Uint8Array.of(0, 1)) },
      'unique identifier',
    ],
    [
      'bytes after the extensions',
      { tbsTail: Uint8Array.of(5, 0) },
      'unexpected bytes at the end of tbsCertificate',
    ],
    ['one extension twice', { extensions: [san, san] }, 'extension 2.5.29.17 is there twice'],
    [
      'too many extensions',
      { extensions: Array.from({ length: 33 }, (_, i) => encodeExtension(`1.2.3.${i}`, false, san)) },
      'more than 32 extensions',
    ],
    ['no purposes', { extensions: [unknownPurpose] }, 'extendedKeyUsage'],
    [
      'too many names',
      { extensions: [encodeSubjectAltName(Array.from({ length: 1025 }, () => ({ dns: 'a' })))] },
      'more than 1024 names',
    ],
    [
      'NUL in a URI',
      { extensions: [encodeSubjectAltName([{ uri: 'spiffe://mesh.test/a\0b' }])] },
      'has the octet 0x0',
    ],
    [
      'octet 0xe9 in a URI',
      { extensions: [encodeSubjectAltName([{ uri: 'spiffe://mesh.test/\u00e9' }])] },
      'has the octet 0xe9',
    ],
    [
      'address of 5 octets',
      { extensions: [encodeSubjectAltName([{ ip: new Uint8Array(5) }])] },
      'iPAddress of 5 octets',
    ],
    [
      'pathLen without cA',
      { extensions: [encodeBasicConstraints(false, 1)] },
      'pathLenConstraint without cA',
    ],
    [
      'cA false, spelled out',
      { extensions: [encodeExtension('2.5.29.19', true, fromHex('3003010100'))] },
      'which DER leaves out',
    ],
    [
      'boolean of 1',
      { extensions: [encodeExtension('2.5.29.19', true, fromHex('3003010101'))] },
      'no DER boolean',
    ],
    [
      'keyUsage without bits',
      { extensions: [encodeExtension('2.5.29.15', true, fromHex('030100'))] },
      'no list of 1 to 16 bits',
    ],
    [
      'keyUsage with trailing zeros',
      { extensions: [encodeExtension('2.5.29.15', true, fromHex('03020080'))] },
      'trailing zero bits',
    ],
    [
      'keyUsage with unused bits set',
      { extensions: [encodeExtension('2.5.29.15', true, fromHex('03020781'))] },
      'unused bits that are set',
    ],
    [
      'empty nameConstraints',
      { extensions: [encodeExtension('2.5.29.30', true, fromHex('3000'))] },
      'nameConstraints is empty',
    ],
    [
      'bytes after an extension value',
      { extensions: [encodeExtension('2.5.29.19', true, fromHex('30000500'))] },
      'unexpected bytes at the end of value',
    ],
    [
      'AKI with issuer only',
      { extensions: [encodeExtension('2.5.29.35', false, fromHex('3005a103820161'))] },
      'only one of issuer and serial',
    ],
  ])('refuses %s', (_, changes, problem) => {
    expect(problemOf(certificate(changes))).toContain(problem);
  });

  it('refuses oversized input before reading it', () => {
    expect(problemOf(new Uint8Array(LIMITS.certificateBytes + 1))).toContain('at most 65536 are read');
  });

  it('says at which byte', () => {
    const der = certificate({ extensions: [encodeExtension('2.5.29.30', true, fromHex('3000'))] });
    const offset = Number(/at (\d+)/.exec(problemOf(der))?.[1]);
    expect([...der.subarray(offset, offset + 2)]).toEqual([TAG.sequence, 0]);
  });
});

describe('public keys', () => {
  const point = keys.publicKey.export({ type: 'spki', format: 'der' }).subarray(-65);
  const ec = (...parameters: Uint8Array[]): Uint8Array =>
    encodeSequence(encodeOidValue('1.2.840.10045.2.1'), ...parameters);
  const p256 = encodeOidValue('1.2.840.10045.3.1.7');
  const spki = (algorithm: Uint8Array, bits: Uint8Array): Uint8Array =>
    encodeSequence(algorithm, encodeOctetBits(bits));
  const flipped = Uint8Array.from(point, (octet, index) => (index === 64 ? octet ^ 1 : octet));
  const compressed = concat(Uint8Array.of(2 + (point[64]! & 1)), point.subarray(1, 33));

  it.each<[string, Uint8Array, string]>([
    ['P-521', spkiOf(makeKeys('ec-p521').publicKey), 'unsupported-key'],
    ['RSA of 1024 bits', spkiOf(makeKeys('rsa-1024').publicKey), 'weak-key'],
    [
      'explicit curve parameters',
      spki(ec(encodeSequence(encode(TAG.integer, Uint8Array.of(1)))), point),
      'unsupported-key',
    ],
    ['no curve', spki(ec(), point), 'unsupported-key'],
    ['a point off the curve', spki(ec(p256), flipped), 'no valid point'],
    ['the point at infinity', spki(ec(p256), Uint8Array.of(0)), 'not in its uncompressed form'],
    ['a compressed point', spki(ec(p256), compressed), 'not in its uncompressed form'],
    ['parameters after the curve', spki(ec(p256, Uint8Array.of(5, 0)), point), 'unexpected bytes'],
    [
      'Ed25519 with parameters',
      spki(encodeSequence(encodeOidValue('1.3.101.112'), Uint8Array.of(5, 0)), new Uint8Array(32)),
      'unexpected bytes',
    ],
    ['an unknown algorithm', spki(encodeSequence(encodeOidValue('1.2.3.4')), point), 'unsupported-key'],
  ])('refuses %s', (_, key, problem) => {
    expect(problemOf(certificate({ spki: key }))).toContain(problem);
  });

  it.each<[string, Uint8Array, Uint8Array, string]>([
    ['an even exponent', new Uint8Array(256).fill(0xc1), Uint8Array.of(4), 'public exponent'],
    ['exponent 1', new Uint8Array(256).fill(0xc1), Uint8Array.of(1), 'public exponent'],
    [
      'an exponent of 33 bits',
      new Uint8Array(256).fill(0xc1),
      Uint8Array.of(1, 0, 0, 0, 1),
      'public exponent',
    ],
    ['16384 bits', new Uint8Array(2048).fill(0xc1), Uint8Array.of(1, 0, 1), 'at most 8192'],
  ])('refuses RSA with %s', (_, modulus, exponent, problem) => {
    const number = (octets: Uint8Array): Uint8Array =>
      encode(TAG.integer, octets[0]! >= 0x80 ? concat(Uint8Array.of(0), octets) : octets);
    const algorithm = encodeSequence(encodeOidValue('1.2.840.113549.1.1.1'), Uint8Array.of(5, 0));
    const key = spki(algorithm, encodeSequence(number(modulus), number(exponent)));
    expect(problemOf(certificate({ spki: key }))).toContain(problem);
  });
});

describe('signature algorithms', () => {
  it('keeps those that cannot be verified as such', () => {
    for (const [algorithm, weak] of [
      ['RSA-SHA1', true],
      ['RSA-MD5', true],
      ['RSA-SHA256', false],
      ['RSA-PSS-SHA512', false],
    ] as const) {
      const parsed = parseCertificate(
        makeIssuer({ commonName: 'x', now: NOW, keyType: 'rsa', algorithm }).der,
      );
      expect(parsed.ok && parsed.value.signatureAlgorithm).toMatchObject(
        weak ? { usable: false, weak: true } : { usable: true, name: algorithm },
      );
    }
    const withNull = certificate({ innerAlgorithm: algorithmNull(), outerAlgorithm: algorithmNull() });
    const parsed = parseCertificate(withNull);
    expect(parsed.ok && parsed.value.signatureAlgorithm).toMatchObject({ usable: false, weak: false });
  });
});

/** ecdsa-with-SHA256 with NULL parameters, which RFC 5758 3.2 forbids. */
function algorithmNull(): Uint8Array {
  return fromHex('300c06082a8648ce3d0403020500');
}
