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

const VAULT = 'URI:spiffe://mesh.test/ns/bank/sa/vault';

test('attack: a request for another identity, by token and by certificate', async () => {
  const { agent } = rig.sidecar();
  const { credential } = await agent.whenReady(rig.scope.signal);
  const before = rig.audit.length;
  for (const name of [VAULT, 'DNS:web.shop.svc', `URI:${WEB.toString()},DNS:web`, `URI:${WEB.toString()}x`]) {
    const foreign = requestOf(`subjectAltName=${name}`);
    expect(await rig.ask({ csr: foreign, token: 'token' })).toBe('request-names-another');
    rig.expectTold('request-names-another');
    expect(await rig.ask({ csr: foreign }, credential)).toBe('request-names-another');
    rig.expectTold('request-names-another');
  }
  expect(rig.audit.length).toBe(before);
  // The token was not spent on them.
  expect(rig.ledger.asked).toBe(1);
});

test('attack: a request with several URI names, also twice the same', async () => {
  for (const other of [VAULT, `URI:${WEB.toString()}`]) {
    const several = requestOf(`subjectAltName=URI:${WEB.toString()},${other}`);
    expect(await rig.ask({ csr: several, token: 'token' })).toBe('request-several-uris');
    rig.expectTold('request-several-uris');
  }
});

test('a request for the identity that was attested is answered, and one with another subject', async () => {
  expect(await rig.ask({ csr: requestOf(`subjectAltName=URI:${WEB.toString()}`), token: 'token' })).toBe(
    'issued',
  );
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
  rig.attestor.tokens.set('token', { ...rig.attestor.tokens.get('token')!, run: 2 });
  expect(await rig.ask({ csr: csr(), token: 'token' })).toBe('issued');
  rig.attestor.tokens.set('token', { ...rig.attestor.tokens.get('token')!, run: 2 });
  expect(await rig.ask({ csr: first, token: 'token' })).toBe('token-used-with-another-key');
});

test('attack: a replay at another replica, also one that has not seen the restart of the sidecar', async () => {
  const [first, restarted] = [csr(), csr()];
  expect(await rig.ask({ csr: first, token: 'token' })).toBe('issued');
  await rig.startServer();
  expect(await rig.ask({ csr: csr(), token: 'token' })).toBe('token-used-with-another-key');
  rig.expectTold('token-used-with-another-key');
  expect(await rig.ask({ csr: first, token: 'token' })).toBe('issued');
  const token = rig.attestor.tokens.get('token')!;
  rig.attestor.tokens.set('token', { ...token, run: 2 });
  expect(await rig.ask({ csr: restarted, token: 'token' })).toBe('issued');
  await rig.startServer();
  rig.attestor.tokens.set('token', token);
  expect(await rig.ask({ csr: first, token: 'token' })).toBe('token-used-with-another-key');
  expect(await rig.ask({ csr: restarted, token: 'token' })).toBe('issued');
});

test('a token whose use cannot be shared is not taken, and a renewal needs nothing of it', async () => {
  const { agent } = rig.sidecar();
  const { credential } = await agent.whenReady(rig.scope.signal);
  rig.ledger.down = true;
  expect(await rig.ask({ csr: csr() }, credential)).toBe('issued');
  // What is known is not asked for again.
  expect(await rig.ask({ csr: csr(), token: 'token' })).toBe('token-used-with-another-key');
  expect(rig.ledger.asked).toBe(1);
  rig.attestor.tokens.set('new', {
    ...rig.attestor.tokens.get('token')!,
    token: { id: 'jti-2', expiresAt: rig.now + 600_000 },
  });
  expect(await rig.ask({ csr: csr(), token: 'new' })).toBe('attestation-unavailable');
  rig.expectTold('attestation-unavailable');
});

test('attack: one pod with a thousand tokens has a dozen of them remembered', async () => {
  await rig.startServer({ pod: { burst: 1e6, perSecond: 1 }, address: { burst: 1e6, perSecond: 1 } });
  const answers = new Map<string, number>();
  const request = csr();
  const token = rig.attestor.tokens.get('token')!;
  for (let number = 0; number < 100; number += 1) {
    const id = `jti of many, ${number}`;
    rig.attestor.tokens.set(id, { ...token, token: { id, expiresAt: rig.now + 600_000 } });
    const answer = await rig.ask({ csr: request, token: id });
    answers.set(answer, (answers.get(answer) ?? 0) + 1);
  }
  expect(Object.fromEntries(answers)).toEqual({ issued: 12, 'too-many-requests': 88 });
  expect(rig.ledger.asked).toBe(12);
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
