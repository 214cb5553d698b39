import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeKeys } from '../testing/index.ts';
import { createCertificateRequest } from '../x509/certificate-request.ts';
import { ISSUANCE_LIMITS } from './limits.ts';
import { ISSUANCE_REASONS } from './reasons.ts';
import { IDENTITY_REASONS } from '../reasons.ts';
import { csr, TestIssuance } from './testing.ts';

const TIMES = 1_000;
const MORE = 20;

let rig: TestIssuance;

beforeEach(async () => {
  rig = await TestIssuance.start();
  // What the limit on an address keeps out anyway is to be seen here.
  const plenty = { burst: 1e9, perSecond: 1e9 };
  await rig.startServer({ address: plenty, pod: plenty, token: plenty });
});
afterEach(() => rig.end());

/** Requests of every bad shape, and what makes each as large as it can be. */
function badRequests(): { readonly csr: Uint8Array; readonly token?: string }[] {
  const ec = makeKeys('ec-p256');
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const good = csr();
  const flipped = good.slice();
  flipped[flipped.length - 3]! ^= 1;
  return [
    { csr: new Uint8Array(0), token: 'token' },
    { csr: new Uint8Array(30_000).fill(0x30), token: 'token' },
    { csr: Buffer.from('\u202e\x1b[2Jno request\n{"level":"info"}'), token: 'token' },
    { csr: good.subarray(1), token: 'token' },
    { csr: flipped, token: 'token' },
    {
      csr: createCertificateRequest({ publicKey: rsa.publicKey, privateKey: ec.privateKey }),
      token: 'token',
    },
    {
      csr: createCertificateRequest({ publicKey: makeKeys('ec-p256').publicKey, privateKey: ec.privateKey }),
      token: 'token',
    },
    { csr: good, token: 'x'.repeat(ISSUANCE_LIMITS.tokenCharacters + 1) },
    { csr: good, token: '\n\u0000another' },
    { csr: good, token: '' },
    { csr: good },
  ];
}

test('attack: one pod asks a thousand times with every bad shape: its log and its label sets stay small', async () => {
  const bad = badRequests();
  const codes = new Set<string>();
  const before = rig.audit.length;
  const ask = rig.caller();
  for (let index = 0; index < TIMES; index += 1) codes.add(await ask(bad[index % bad.length]!));
  // Each was answered, and counted for the metrics, whose labels are the method and the code alone.
  expect(rig.outcomes).toHaveLength(TIMES);
  const labels = new Set(rig.outcomes.map(({ method, refusal }) => `${method} ${refusal?.reason.code}`));
  expect(labels.size).toBeLessThanOrEqual(bad.length);
  const known = { ...ISSUANCE_REASONS, ...IDENTITY_REASONS };
  for (const code of codes) expect(Object.keys(known)).toContain(code);
  expect(codes.size).toBeGreaterThanOrEqual(6);
  expect(rig.audit.length).toBe(before);

  // The log has the first ones, then one now and then that says how many are not there.
  const seconds = rig.elapsedSeconds();
  const { burst, perSecond } = ISSUANCE_LIMITS.lines;
  expect(rig.logged.length).toBeLessThanOrEqual(burst + Math.ceil(seconds * perSecond) + 1);
  for (const line of rig.logged) {
    const text = JSON.stringify(line);
    expect(text.length).toBeLessThan(2_000);
    expect(String(line['detail'])).not.toMatch(/\p{C}/u);
  }

  // Who asks rightly is answered all the while.
  expect(await ask({ csr: csr(), token: 'token' })).toBe('issued');
}, 240_000);

test('what was not logged is said by the next line, and others are not silenced', async () => {
  const ask = rig.caller();
  const { burst, perSecond } = ISSUANCE_LIMITS.lines;
  const bad = { csr: new Uint8Array(0), token: 'token' };
  for (let index = 0; index < burst + MORE; index += 1) await ask(bad);
  const logged = rig.logged.length;
  expect(logged).toBeGreaterThanOrEqual(burst);
  rig.skip(1000 / perSecond);
  await ask(bad);
  expect(rig.logged.length).toBeGreaterThan(logged);
  const unlogged = rig.logged.reduce((sum, line) => sum + Number(line['unlogged'] ?? 0), 0);
  expect(unlogged + rig.logged.length).toBe(rig.outcomes.length);
}, 60_000);
