import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat } from '#runtime';
import { makeKeys } from '../testing/index.ts';
import { createCertificateRequest, parseCertificateRequest } from './certificate-request.ts';
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

  it('does not hold when signed by another key', () => {
    const other = createCertificateRequest({
      publicKey: keys.publicKey,
      privateKey: makeKeys('ec-p256').privateKey,
    });
    expect(holds(other)).toBe(false);
  });
});
