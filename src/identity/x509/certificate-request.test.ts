import { generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromAscii, fromHex } from '#runtime';
import { makeKeys } from '../testing/index.ts';
import { createCertificateRequest, parseCertificateRequest } from './certificate-request.ts';
import { contextConstructed, contextPrimitive, TAG } from './der/tag.ts';
import { encode, encodeOctetBits, encodeOidValue, encodeSequence, encodeUnsigned } from './der/writer.ts';
import { OID } from './oids.ts';
import { SIGNATURE_ALGORITHMS } from './signature-algorithm.ts';
import { signatureHolds } from './verify-signature.ts';

const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const request = createCertificateRequest(keys);

function holds(bytes: Uint8Array): boolean {
  const parsed = parseCertificateRequest(bytes);
  if (!parsed.ok || !parsed.value.signatureAlgorithm.usable) return false;
  const { signatureAlgorithm, publicKey, info, signature } = parsed.value;
  return signatureHolds(signatureAlgorithm.name, publicKey, info, signature);
}

describe('a certificate request', () => {
  it('reads back with its key and a signature that holds', () => {
    const parsed = parseCertificateRequest(request);
    expect(parsed.ok && parsed.value.publicKey.key.equals(keys.publicKey)).toBe(true);
    expect(holds(request)).toBe(true);
  });

  it('refuses every truncation and bytes after it', () => {
    for (let length = 0; length < request.length; length += 1) {
      expect(parseCertificateRequest(request.subarray(0, length)).ok).toBe(false);
    }
    expect(parseCertificateRequest(concat(request, Uint8Array.of(0))).ok).toBe(false);
  });

  it('answers any mutation with a value, and proves nothing once the signed part changed', () => {
    fc.assert(
      fc.property(fc.nat(request.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        expect(holds(request.with(at, request[at]! ^ change))).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  describe('that asks for names', () => {
    const uri = (text: string) => encode(contextPrimitive(6), fromAscii(text));
    const asking = (...names: Uint8Array[]) =>
      encodeSequence(
        encodeSequence(encodeOidValue(OID.subjectAltName), encode(TAG.octetString, encodeSequence(...names))),
      );
    const attribute = (oid: string, ...values: Uint8Array[]) =>
      encodeSequence(encodeOidValue(oid), encode(TAG.set, concat(...values)));
    const namesOf = (...attributes: Uint8Array[]) => {
      const info = encodeSequence(
        encodeUnsigned(Uint8Array.of(0)),
        encodeSequence(),
        keys.publicKey.export({ type: 'spki', format: 'der' }),
        encode(contextConstructed(0), concat(...attributes)),
      );
      const algorithm = fromHex(SIGNATURE_ALGORITHMS['ecdsa-with-SHA256'].identifier);
      const signature = encodeOctetBits(sign('sha256', info, keys.privateKey));
      const parsed = parseCertificateRequest(encodeSequence(info, algorithm, signature));
      return parsed.ok ? parsed.value.names : parsed.error.what;
    };

    it('tells them, by either name of the attribute', () => {
      for (const oid of [OID.extensionRequest, OID.certExtensions]) {
        expect(namesOf(attribute(oid, asking(uri('spiffe://a/b'), uri('spiffe://c/d'))))).toEqual([
          { type: 'uri', text: 'spiffe://a/b' },
          { type: 'uri', text: 'spiffe://c/d' },
        ]);
      }
      expect(namesOf()).toBeUndefined();
      expect(namesOf(attribute('1.2.3', uri('x')))).toBeUndefined();
    });

    it('refuses to have them hidden behind others', () => {
      const one = asking(uri('spiffe://a/b'));
      expect(namesOf(attribute(OID.extensionRequest, one), attribute(OID.certExtensions, one))).toBe(
        'the request asks for extensions twice',
      );
      expect(namesOf(attribute(OID.extensionRequest, one, one))).toMatch('unexpected bytes');
      expect(namesOf(attribute(OID.extensionRequest))).toMatch('should be sequence');
      expect(namesOf(attribute(OID.extensionRequest, asking()))).toMatch('subjectAltName');
    });
  });

  it('does not hold when signed by another key', () => {
    const other = createCertificateRequest({
      publicKey: keys.publicKey,
      privateKey: makeKeys('ec-p256').privateKey,
    });
    expect(holds(other)).toBe(false);
  });
});
