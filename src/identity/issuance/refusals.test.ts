import { execFileSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nodeSigner } from '#handshake/crypto';
import { makeKeys } from '../testing/index.ts';
import { createCertificateRequest } from '../x509/certificate-request.ts';
import { CONTROLLER, csr, POD, TestIssuance, WEB } from './testing.ts';

const DAY = 24 * 3_600_000;

let rig: TestIssuance;

beforeEach(async () => {
  rig = await TestIssuance.start();
});
afterEach(() => rig.end());

test('attack: an attestation older than a day does not renew, however fresh the certificate is', async () => {
  const old = {
    method: 'certificate',
    attestedAt: rig.now - DAY - 60_000,
    pod: POD,
    remoteAddress: '',
  } as const;
  const keys = makeKeys('ec-p256');
  const issued = await rig.issueFor(csr(keys), old);
  if (!issued.ok) throw new Error(issued.error.detail);
  expect(await rig.ask({ csr: csr() }, credentialFrom(issued.value.chain, keys))).toBe('attestation-too-old');
  rig.expectTold('attestation-too-old');
});

test('attack: a request that asks for another identity gets the one that was attested', async () => {
  const foreign = requestOf('subjectAltName=URI:spiffe://mesh.test/ns/bank/sa/vault');
  expect(await rig.ask({ csr: foreign, token: 'token' })).toBe('issued');
  expect(rig.audit.at(-1)!.subject).toBe(WEB.toString());
  expect(rig.audit.map(({ subject }) => subject).join()).not.toContain('vault');
});

test('attack: a request with several URI names gets one, the attested', async () => {
  const several = requestOf(`subjectAltName=URI:${WEB.toString()},URI:spiffe://mesh.test/ns/bank/sa/vault`);
  expect(await rig.ask({ csr: several, token: 'token' })).toBe('issued');
  expect(rig.audit.at(-1)!.subject).toBe(WEB.toString());
});

test('attack: a replayed token with another key', async () => {
  const first = csr();
  expect(await rig.ask({ csr: first, token: 'token' })).toBe('issued');
  expect(await rig.ask({ csr: csr(), token: 'token' })).toBe('token-used-with-another-key');
  rig.expectTold('token-used-with-another-key');
  // An answer that was lost can be had again.
  expect(await rig.ask({ csr: first, token: 'token' })).toBe('issued');
  // A sidecar that was started again has lost its key.
  rig.attestor.tokens.set('token', { ...rig.attestor.tokens.get('token')!, run: '2' });
  expect(await rig.ask({ csr: csr(), token: 'token' })).toBe('issued');
  rig.attestor.tokens.set('token', { ...rig.attestor.tokens.get('token')!, run: '2' });
  expect(await rig.ask({ csr: first, token: 'token' })).toBe('token-used-with-another-key');
});

test('attack: a stolen certificate after its pod was deleted', async () => {
  const { agent } = rig.sidecar();
  const { credential } = await agent.whenReady(rig.scope.signal);
  rig.attestor.gone.add('pod-uid');
  expect(await rig.ask({ csr: csr() }, credential)).toBe('pod-unknown');
  rig.expectTold('pod-unknown');
});

test('attack: a renewal without a certificate, and over the key of the current one', async () => {
  expect(await rig.ask({ csr: csr() })).toBe('certificate-missing');
  rig.expectTold('certificate-missing');
  const keys = makeKeys('ec-p256');
  const attested = { method: 'token', attestedAt: rig.now, pod: POD, remoteAddress: '' } as const;
  const issued = await rig.issueFor(csr(keys), attested);
  if (!issued.ok) throw new Error(issued.error.detail);
  const credential = credentialFrom(issued.value.chain, keys);
  expect(await rig.ask({ csr: csr(keys) }, credential)).toBe('key-not-fresh');
  expect(await rig.ask({ csr: csr() }, credential)).toBe('issued');
});

test('attack: a request whose signature is by another key', async () => {
  const [own, other] = [makeKeys('ec-p256'), makeKeys('ec-p256')];
  const forged = createCertificateRequest({
    publicKey: createPublicKey(other.privateKey),
    privateKey: own.privateKey,
  });
  expect(await rig.ask({ csr: forged, token: 'token' })).toBe('request-not-proven');
  rig.expectTold('request-not-proven');
  expect(await rig.ask({ csr: Buffer.from('no request'), token: 'token' })).toBe('malformed-request');
});

test('attack: a certificate of this authority that names no pod is not renewed', async () => {
  const own = await rig.credentialOf(CONTROLLER);
  expect(await rig.ask({ csr: csr() }, own.credential)).toBe('certificate-names-no-pod');
});

test('what is revoked gets nothing: a pod, a ServiceAccount, a serial', async () => {
  const { agent } = rig.sidecar();
  const { credential, serial } = await agent.whenReady(rig.scope.signal);
  for (const revoked of [
    { kind: 'pod', value: 'pod-uid' },
    { kind: 'serviceAccount', value: 'shop/web' },
    { kind: 'serial', value: serial },
  ] as const) {
    rig.revocations.set([{ ...revoked, at: rig.now }]);
    expect(await rig.ask({ csr: csr() }, credential)).toBe('identity-revoked');
    rig.expectTold('identity-revoked');
  }
  rig.revocations.set([{ kind: 'pod', value: 'pod-uid', at: rig.now }]);
  expect(await rig.ask({ csr: csr(), token: 'token' })).toBe('identity-revoked');
  rig.revocations.set([{ kind: 'pod', value: 'another', at: rig.now }]);
  expect(await rig.ask({ csr: csr() }, credential)).toBe('issued');
});

test('rates are kept: of an address before anything is known of it, of a pod, of all', async () => {
  await rig.startServer({ address: { burst: 1, perSecond: 0 } });
  const request = csr();
  expect(await rig.ask({ csr: request, token: 'token' })).toBe('issued');
  expect(await rig.ask({ csr: request, token: 'token' })).toBe('too-many-requests');
  rig.expectTold('too-many-requests');
  await rig.startServer({ pod: { burst: 1, perSecond: 0 } });
  expect(await rig.ask({ csr: request, token: 'token' })).toBe('issued');
  expect(await rig.ask({ csr: request, token: 'token' })).toBe('too-many-requests');
  await rig.startServer({ overall: { burst: 1, perSecond: 0 } });
  expect(await rig.ask({ csr: request, token: 'token' })).toBe('issued');
  expect(await rig.ask({ csr: request, token: 'token' })).toBe('too-many-requests');
});

/** A request by OpenSSL that asks for more than a key. */
function requestOf(extension: string): Uint8Array {
  const args = [
    'req',
    '-new',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-subj',
    '/CN=vault',
  ];
  return execFileSync('openssl', [...args, '-addext', extension, '-keyout', '/dev/null', '-outform', 'der'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

function credentialFrom(chain: readonly Uint8Array[], keys: ReturnType<typeof makeKeys>) {
  return { chain, signer: nodeSigner(keys.privateKey) };
}
