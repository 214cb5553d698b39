import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { decodePemBlocks } from '#identity/x509';
import { randomFrom } from '../conformance/differential/chains.ts';
import type { LimboSuite } from '../conformance/limbo/suite.ts';
import { fuzz as certificate } from './targets/x509-certificate.ts';
import { fuzz as request } from './targets/x509-certificate-request.ts';
import { fuzz as ocspRequest } from './targets/x509-ocsp-request.ts';
import { fuzz as ocspResponse } from './targets/x509-ocsp-response.ts';
import { fuzz as path } from './targets/x509-path.ts';
import { fuzz as list } from './targets/x509-revocation-list.ts';

const TARGETS = { certificate, request, list, ocspRequest, ocspResponse, path };
const stored = new URL('../conformance/data/limbo-dev.json.gz', import.meta.url);
const suite = JSON.parse(gunzipSync(readFileSync(stored)).toString('utf8')) as LimboSuite;
/** Certificates and lists of other people, one of each kind of case. */
const seeds = suite.testcases
  .filter(({ id }, index) => !id.startsWith('bettertls') || index % 50 === 0)
  .flatMap(({ peer_certificate, crls }) => [
    der('CERTIFICATE', peer_certificate),
    ...crls.map((crl) => der('X509 CRL', crl)),
  ]);

function der(label: string, pem: string): Uint8Array {
  const blocks = decodePemBlocks(label, pem);
  const [first] = blocks.ok ? blocks.value : [];
  if (first === undefined) throw new Error(`no ${label} in a case`);
  return first;
}

test.each(Object.entries(TARGETS))('%s takes any bytes', (name, target) => {
  const framed = name === 'path' ? withLength : (bytes: Uint8Array) => bytes;
  const random = randomFrom(1);
  for (const seed of seeds) target(framed(seed));
  for (let round = 0; round < ROUNDS; round += 1) {
    const bytes = Uint8Array.from(seeds[Math.floor(random() * seeds.length)] ?? []);
    for (let change = 0; change < 1 + random() * 4; change += 1) {
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    }
    const cut = random() < 0.2 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes;
    const start = performance.now();
    target(framed(cut));
    expect(performance.now() - start).toBeLessThan(PATIENCE);
  }
});

function withLength(bytes: Uint8Array): Uint8Array {
  return Uint8Array.of(bytes.length >> 8, bytes.length & 0xff, ...bytes);
}

const ROUNDS = 3000;
/** Milliseconds on a busy machine. */
const PATIENCE = 1000;
