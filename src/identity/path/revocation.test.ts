import { describe, expect, it } from 'vitest';
import { fromAscii, fromHex } from '#runtime';
import { encodeExtension, makeIssuer, makeLeaf } from '../testing/index.ts';
import { encodeRevocationList, type TestRevocationList } from '../testing/revocation-list.ts';
import { parseCertificate } from '../x509/certificate.ts';
import { parseRevocationList, type RevocationList } from '../x509/crl.ts';
import { contextConstructed, contextPrimitive } from '../x509/der/tag.ts';
import { encode, encodeSequence } from '../x509/der/writer.ts';
import { OID } from '../x509/oids.ts';
import type { RevocationInput } from './revocation.ts';
import { verifyWebChain } from './verify-host.ts';
import { createWebRoots } from './web-roots.ts';

const NOW = Date.UTC(2026, 5, 1);
const HOUR = 3_600_000;
const root = makeIssuer({ commonName: 'root', now: NOW });
const intermediate = makeIssuer({ commonName: 'intermediate', now: NOW }, root);
const point = encode(
  contextConstructed(0),
  encode(contextConstructed(0), encode(contextPrimitive(6), fromAscii('http://crl.test/1'))),
);
const leaf = makeLeaf(
  {
    now: NOW,
    names: [{ dns: 'www.example.com' }],
    extendedKeyUsage: [OID.serverAuth],
    extraExtensions: [
      encodeExtension(OID.cRLDistributionPoints, false, encodeSequence(encodeSequence(point))),
    ],
  },
  intermediate,
  [intermediate.der],
);
const serial = serialOf(leaf.chain[0]!);
const usual = { thisUpdate: NOW - HOUR, nextUpdate: NOW + HOUR };
const rootList = read(encodeRevocationList(root, usual));

function serialOf(der: Uint8Array): string {
  const certificate = parseCertificate(der);
  return certificate.ok ? certificate.value.serial : '';
}

function read(der: Uint8Array): RevocationList {
  const list = parseRevocationList(der);
  if (!list.ok) throw new Error(list.error.what);
  return list.value;
}

function judge(lists: readonly RevocationList[], mode: 'refuse' | 'accept' = 'refuse'): string {
  const revocation: RevocationInput = { listsOf: () => lists, missing: mode, stale: mode };
  const input = { roots: createWebRoots([root.der]), time: NOW, revocation };
  const result = verifyWebChain({ role: 'server', chain: leaf.chain }, input);
  return result.ok ? 'ok' : result.error.reason.code;
}

function withList(options: Partial<TestRevocationList>, mode?: 'refuse' | 'accept'): string {
  return judge([rootList, read(encodeRevocationList(intermediate, { ...usual, ...options }))], mode);
}

function scope(...fields: readonly Uint8Array[]): { extraExtensions: readonly Uint8Array[] } {
  return {
    extraExtensions: [encodeExtension(OID.issuingDistributionPoint, true, encodeSequence(...fields))],
  };
}

const flag = (number: number): Uint8Array => encode(contextPrimitive(number), Uint8Array.of(0xff));

describe('revocation lists', () => {
  it('clear what they do not name, and refuse what they name', () => {
    expect(withList({})).toBe('ok');
    expect(withList({ revoked: [{ serial: '01' }] })).toBe('ok');
    expect(withList({ revoked: [{ serial: '01' }, { serial, reason: 1 }] })).toBe('certificate-revoked');
    expect(withList({ revoked: [{ serial }] }, 'accept')).toBe('certificate-revoked');
  });

  it('hold for intermediates too', () => {
    const revoked = read(
      encodeRevocationList(root, { ...usual, revoked: [{ serial: serialOf(intermediate.der) }] }),
    );
    expect(judge([revoked, read(encodeRevocationList(intermediate, usual))])).toBe('certificate-revoked');
  });

  it('that are missing or stale refuse in hard-fail and accept in soft-fail; what a stale one revokes stays revoked', () => {
    expect(judge([])).toBe('revocation-unknown');
    expect(judge([], 'accept')).toBe('ok');
    const stale = { nextUpdate: NOW - 1000 };
    expect(withList(stale)).toBe('revocation-unknown');
    expect(withList(stale, 'accept')).toBe('ok');
    expect(withList({ ...stale, revoked: [{ serial }] }, 'accept')).toBe('certificate-revoked');
    expect(withList({ thisUpdate: NOW + 1000 })).toBe('revocation-unknown');
    expect(judge([rootList, read(encodeRevocationList(intermediate, { thisUpdate: NOW }))])).toBe(
      'revocation-unknown',
    );
  });

  it.each<[string, Partial<TestRevocationList>]>([
    ['a delta', { extraExtensions: [encodeExtension(OID.deltaCRLIndicator, true, fromHex('020101'))] }],
    ['an indirect one', scope(flag(4))],
    [
      'one with an unknown critical extension',
      { extraExtensions: [encodeExtension('1.2.3.4', true, fromHex('0500'))] },
    ],
    ['one without extensions', { extensions: [] }],
    ['one that another key signed', { signer: root }],
  ])('%s refuses, in soft-fail too', (_, options) => {
    expect(withList(options)).toBe('revocation-list-unusable');
    expect(withList(options, 'accept')).toBe('revocation-list-unusable');
  });

  it('of a CA without cRLSign refuse', () => {
    const weak = makeIssuer({ commonName: 'weak', now: NOW, keyUsage: ['keyCertSign'] }, root);
    const own = makeLeaf({ now: NOW, names: [{ dns: 'a.test' }], extendedKeyUsage: [OID.serverAuth] }, weak, [
      weak.der,
    ]);
    const lists = [rootList, read(encodeRevocationList(weak, usual))];
    const revocation: RevocationInput = { listsOf: () => lists, missing: 'accept', stale: 'accept' };
    const input = { roots: createWebRoots([root.der]), time: NOW, revocation };
    expect(verifyWebChain({ role: 'server', chain: own.chain }, input)).toMatchObject({
      error: { reason: { code: 'revocation-list-unusable' } },
    });
  });

  it('speak within their scope only', () => {
    const revoked = { revoked: [{ serial }] };
    expect(withList({ ...scope(flag(1)), ...revoked })).toBe('certificate-revoked');
    expect(withList({ ...scope(flag(2)), ...revoked })).toBe('revocation-unknown');
    expect(withList({ ...scope(flag(5)), ...revoked })).toBe('revocation-unknown');
    expect(withList(scope(point))).toBe('ok');
    const other = encode(
      contextConstructed(0),
      encode(contextConstructed(0), encode(contextPrimitive(6), fromAscii('http://crl.test/2'))),
    );
    expect(withList(scope(other))).toBe('revocation-unknown');
    // Some reasons only: it can revoke, but not clear.
    const some = encode(contextPrimitive(3), fromHex('0640'));
    expect(withList(scope(some))).toBe('revocation-unknown');
    expect(withList({ ...scope(some), ...revoked })).toBe('certificate-revoked');
  });

  it('find one of 100,000 at once', () => {
    const many = Array.from({ length: 100_000 }, (_, index) => ({
      serial: (index + 0x100000).toString(16).padStart(32, '1'),
    }));
    const list = read(encodeRevocationList(intermediate, { ...usual, revoked: [...many, { serial }] }));
    expect(list.revoked.size).toBe(100_001);
    expect(judge([rootList, list])).toBe('certificate-revoked');
  });
});

describe('parseRevocationList refuses', () => {
  const problemOf = (options: Partial<TestRevocationList>): string => {
    const list = parseRevocationList(encodeRevocationList(intermediate, { ...usual, ...options }));
    return list.ok ? 'accepted' : list.error.what;
  };
  it.each<[string, Partial<TestRevocationList>]>([
    ['reason removeFromCRL', { revoked: [{ serial, reason: 8 }] }],
    ['reason 7', { revoked: [{ serial, reason: 7 }] }],
    ['listed twice', { revoked: [{ serial }, { serial }] }],
    ['limits the list in two ways', scope(flag(1), flag(2))],
  ])('%s', (problem, options) => {
    expect(problemOf(options)).toContain(problem);
  });

  it('any cut, and any byte after the end', () => {
    const der = encodeRevocationList(intermediate, { ...usual, revoked: [{ serial, reason: 1 }] });
    for (let end = 0; end < der.length; end += 1)
      expect(parseRevocationList(der.subarray(0, end)).ok).toBe(false);
    expect(parseRevocationList(new Uint8Array([...der, 0])).ok).toBe(false);
  });
});
