import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { fromHex } from '#runtime';
import { encodeExtension, encodePem, makeIssuer, makeLeaf, type TestIssuer } from '../testing/index.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import { encodeOcspRequest, parseOcspRequest } from '../x509/ocsp/request.ts';
import { parseOcspResponse } from '../x509/ocsp/response.ts';
import { OID } from '../x509/oids.ts';
import { checkOcspResponse } from './ocsp.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-ocsp-'));
afterAll(() => rmSync(folder, { recursive: true }));
const NOW = Date.now();
const HOUR = 3_600_000;
const issuer = makeIssuer({ commonName: 'issuer', now: NOW });
const leaf = read(makeLeaf({ now: NOW, names: [{ dns: 'www.example.com' }] }, issuer).chain[0]!);
const noCheck = encodeExtension(OID.ocspNoCheck, false, fromHex('0500'));

const found = spawnSync('openssl', ['version'], { encoding: 'utf8' });
beforeEach((context) => {
  if (found.status !== 0) context.skip('openssl is not on this machine');
});

function read(der: Uint8Array): Certificate {
  const certificate = parseCertificate(der);
  if (!certificate.ok) throw new Error(certificate.error.what);
  return certificate.value;
}

function delegate(
  purposes: readonly string[],
  extraExtensions: readonly Uint8Array[],
  parent = issuer,
): TestIssuer {
  const made = makeLeaf(
    { now: NOW, commonName: 'responder', extendedKeyUsage: purposes, extraExtensions },
    parent,
  );
  return { der: made.chain[0]!, name: issuer.name, keys: made.keys };
}

/** OpenSSL's responder, without a network: the answer to a request of ours. */
function answer(
  request: Uint8Array,
  status: 'V' | 'R',
  signer: TestIssuer = issuer,
  more: readonly string[] = [],
): Uint8Array {
  const file = (name: string, contents: string | Uint8Array): string => {
    writeFileSync(join(folder, name), contents, { mode: 0o600 });
    return join(folder, name);
  };
  const revoked = status === 'R' ? '260101000000Z,keyCompromise' : '';
  const index = `${status}\t491231235959Z\t${revoked}\t${leaf.serial.toUpperCase()}\tunknown\t/CN=x\n`;
  const run = spawnSync(
    'openssl',
    [
      'ocsp',
      '-index',
      file('index.txt', index),
      '-CA',
      file('ca.pem', encodePem('CERTIFICATE', issuer.der)),
      '-rsigner',
      file('signer.pem', encodePem('CERTIFICATE', signer.der)),
      '-rkey',
      file('signer.key', signer.keys.privateKey.export({ type: 'pkcs8', format: 'pem' })),
      '-reqin',
      file('request.der', request),
      '-respout',
      join(folder, 'response.der'),
      '-ndays',
      '1',
      ...more,
    ],
    { encoding: 'utf8' },
  );
  if (run.status !== 0) throw new Error(run.stderr);
  return new Uint8Array(readFileSync(join(folder, 'response.der')));
}

function judge(response: Uint8Array, time = Date.now() + 1000, nonce?: Uint8Array): string {
  const status = checkOcspResponse(response, leaf, read(issuer.der), time, nonce);
  if (!status.ok) return status.error.detail.split('OCSP response ')[1] ?? '';
  return typeof status.value.status === 'string' ? status.value.status : status.value.status.reason;
}

describe('an OCSP response of OpenSSL to a request of ours', () => {
  const nonce = fromHex('00112233445566778899aabbccddeeff');
  const request = encodeOcspRequest(leaf.serial, read(issuer.der), nonce);

  it('says good, and says revoked with the reason', () => {
    expect(judge(answer(request, 'V'), undefined, nonce)).toBe('good');
    expect(judge(answer(request, 'R'), undefined, nonce)).toBe('keyCompromise');
    expect(judge(answer(request, 'V', issuer, ['-resp_key_id']))).toBe('good');
  });

  it('holds for its time and its nonce only', () => {
    const response = answer(request, 'V');
    expect(judge(response, NOW + 25 * HOUR)).toContain('has ended');
    expect(judge(response, NOW - HOUR)).toContain('is of the future');
    expect(judge(response, undefined, fromHex('00'))).toContain('nonce');
    expect(
      judge(answer(encodeOcspRequest(leaf.serial, read(issuer.der), undefined), 'V'), undefined, nonce),
    ).toContain('nonce');
  });

  it('may be signed by whom the issuer delegated to, and by nobody else', () => {
    expect(judge(answer(request, 'V', delegate([OID.ocspSigning], [noCheck])))).toBe('good');
    expect(judge(answer(request, 'V', delegate([OID.serverAuth], [noCheck])))).toContain(
      'without OCSPSigning',
    );
    expect(judge(answer(request, 'V', delegate([OID.ocspSigning], [])))).toContain('could be revoked itself');
    const stranger = makeIssuer({ commonName: 'issuer', now: NOW, keyIdentifiers: false });
    const forged = delegate([OID.ocspSigning], [noCheck], stranger);
    expect(judge(answer(request, 'V', forged))).toContain('that the issuer did not certify');
    expect(judge(answer(request, 'V', stranger))).not.toBe('good');
  });

  it('is about one certificate', () => {
    const other = read(makeLeaf({ now: NOW, names: [{ dns: 'other.example.com' }] }, issuer).chain[0]!);
    const status = checkOcspResponse(answer(request, 'V'), other, read(issuer.der), Date.now());
    expect(status).toMatchObject({ error: { reason: { code: 'ocsp-response-unusable' } } });
  });

  it('does not hold with any bit changed, nor cut', () => {
    const response = answer(request, 'V');
    for (let at = 0; at < response.length; at += 7) {
      const changed = response.with(at, response[at]! ^ 0x01);
      // The certificate sent along is not needed when the issuer signs.
      if (judge(changed) === 'good') expect(at).toBeGreaterThan(response.length - issuer.der.length - 16);
      expect(parseOcspResponse(response.subarray(0, at)).ok).toBe(false);
    }
  });

  it('refuses what is no answer', () => {
    expect(judge(fromHex('30030a0106'))).toBe('is no answer but "unauthorized"');
    expect(judge(fromHex('30030a0103'))).toBe('is no answer but "tryLater"');
    expect(judge(new Uint8Array(70_000))).toContain('at most 65536 are read');
  });
});

it('requests round-trip, and OpenSSL reads them', () => {
  const nonce = fromHex('0011223344556677');
  const request = encodeOcspRequest(leaf.serial, read(issuer.der), nonce);
  expect(parseOcspRequest(request)).toMatchObject({
    value: { certificates: [{ serial: leaf.serial }], nonce },
  });
  expect(parseOcspRequest(encodeOcspRequest('01', read(issuer.der), undefined))).toMatchObject({
    value: { nonce: undefined },
  });
  for (let end = 0; end < request.length; end += 1)
    expect(parseOcspRequest(request.subarray(0, end)).ok).toBe(false);
});
