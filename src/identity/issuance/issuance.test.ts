import { afterEach, beforeEach, expect, test } from 'vitest';
import { nodeProvider } from '#handshake/crypto';
import { RpcServer } from '#rpc';
import { err, silentLog } from '#runtime';
import { parseSpiffeId, serviceAccountId } from '../spiffe-id.ts';
import type { SpiffePeer } from '../verifier.ts';
import { parseCertificate } from '../x509/certificate.ts';
import { POD, TestIssuance, WEB } from './testing.ts';

let rig: TestIssuance;

beforeEach(async () => {
  rig = await TestIssuance.start();
});
afterEach(() => rig.end());

test('a sidecar gets its first certificate by token and the next by certificate, over another key', async () => {
  const { agent, issuance } = rig.sidecar();
  const first = await agent.whenReady(rig.scope.signal);
  expect(first.spiffeId.toString()).toBe(WEB.toString());
  expect(Math.abs(issuance.clockOffset.value ?? 1e9)).toBeLessThan(1000);
  await rig.pass(3_600_000);
  const second = await agent.renewNow();
  if (!second.ok) throw new Error(second.error.detail);
  expect(rig.outcomes.map(({ method, refusal }) => [method, refusal?.reason.code])).toEqual([
    ['issue', undefined],
    ['renew', undefined],
  ]);
  const leaves = rig.audit.filter(({ kind, subject }) => kind === 'leaf' && subject === WEB.toString());
  expect(leaves).toMatchObject([
    { serial: first.serial, attestation: { method: 'token', podUid: 'pod-uid', remoteAddress: '127.0.0.1' } },
    {
      serial: second.value.serial,
      attestation: { method: 'certificate', podUid: 'pod-uid', previousSerial: first.serial },
    },
  ]);
  expect(leaves[0]!.publicKeySha256).not.toBe(leaves[1]!.publicKeySha256);
  // When the pod was attested goes from certificate to certificate.
  expect(leaves[0]!.attestation!.attestedAt!.slice(0, 19)).toBe(
    leaves[1]!.attestation!.attestedAt!.slice(0, 19),
  );
  const leaf = parseCertificate(second.value.credential.chain[0]!);
  expect(leaf.ok && leaf.value.extensions.podIdentity).toEqual(POD);
});

test('a day after the last token the sidecar shows its token again, before a renewal is refused', async () => {
  // Two days pass in a second.
  await rig.startServer({ pod: { burst: 100, perSecond: 1 }, address: { burst: 100, perSecond: 1 } });
  const { agent } = rig.sidecar();
  await agent.whenReady(rig.scope.signal);
  for (let hours = 0; hours < 48; hours += 2) {
    await rig.pass(2 * 3_600_000);
    const id = `jti after ${hours} h`;
    rig.attestor.tokens.set('token', {
      ...rig.attestor.tokens.get('token')!,
      token: { id, expiresAt: rig.now + 3_600_000 },
    });
    expect((await agent.renewNow()).ok).toBe(true);
  }
  expect(rig.outcomes.filter(({ refusal }) => refusal !== undefined)).toEqual([]);
  expect(rig.outcomes.filter(({ method }) => method === 'issue').length).toBe(3);
});

test('the sidecar keeps to one key for each token, so a lost certificate does not lock it out', async () => {
  const { agent } = rig.sidecar();
  await agent.whenReady(rig.scope.signal);
  // The controller was away until the certificate had ended, and the kubelet has not renewed the token yet.
  await rig.pass(7 * 3_600_000);
  rig.attestor.tokens.set('token', {
    ...rig.attestor.tokens.get('token')!,
    token: { id: 'jti-1', expiresAt: rig.now + 3_600_000 },
  });
  const again = await agent.renewNow();
  expect(again.ok).toBe(true);
});

test('the sidecar talks to its controller only, and says what it saw', async () => {
  const impostor = await rig.credentialOf(serviceAccountId('mesh.test', 'shop', 'impostor'));
  const server = await RpcServer.listen<SpiffePeer>(rig.scope, {
    host: '127.0.0.1',
    port: 0,
    tls: () => ({
      crypto: nodeProvider,
      credential: impostor.credential,
      clientAuthentication: { mode: 'none' },
    }),
    services: () => {
      throw new Error('a call came through');
    },
    clock: rig.clock,
    log: silentLog,
  });
  rig.port = server.port;
  const { agent } = rig.sidecar();
  const answer = await agent.renewNow();
  expect(answer).toMatchObject({ error: { reason: { code: 'spiffe-id-mismatch' } } });
});

test('a missing token, or a controller that is away, is told by its reason', async () => {
  const untold = rig.sidecar(WEB, () => err('/var/run/token cannot be read (ENOENT)'));
  expect(await untold.agent.renewNow()).toMatchObject({
    error: { detail: expect.stringContaining('ENOENT') },
  });
  rig.port = 1;
  expect(await rig.sidecar().agent.renewNow()).toMatchObject({
    error: { reason: { code: 'rpc-unavailable' } },
  });
});

test('a certificate for somebody else than the sidecar is configured to be is not put to use', async () => {
  const other = parseSpiffeId('spiffe://mesh.test/ns/shop/sa/other');
  if (!other.ok) throw new Error(other.error);
  expect(await rig.sidecar(other.value).agent.renewNow()).toMatchObject({
    error: { reason: { code: 'credential-unusable' } },
  });
});
