import { execFileSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nodeProvider, nodeSigner } from '#handshake/crypto';
import { ISSUANCE, RpcChannel, RpcServer } from '#rpc';
import { err, ok, type Result, Scope, silentLog, systemClock, Watch } from '#runtime';
import {
  type Attestation,
  type AuditRecord,
  CertificateAuthority,
  parseIssuableRequest,
} from '../ca/index.ts';
import { parseSpiffeId, type SpiffeId, serviceAccountId } from '../spiffe-id.ts';
import { makeKeys } from '../testing/index.ts';
import { type SpiffePeer, spiffeVerifier } from '../verifier.ts';
import { WorkloadAgent, type WorkloadCredential } from '../workload/index.ts';
import { createCertificateRequest } from '../x509/certificate-request.ts';
import { parseCertificate } from '../x509/certificate.ts';
import type { PodIdentity } from '../x509/extensions/pod-identity.ts';
import type { AttestedPod, Attestor } from './attestor.ts';
import { RemoteIssuance } from './client.ts';
import type { IssuanceRates } from './limits.ts';
import { refuseIssuance } from './refuse.ts';
import type { Revocation } from './revocation.ts';
import { type IssuanceOutcome, IssuanceService } from './service.ts';

const DAY = 24 * 3_600_000;
const CONTROLLER = serviceAccountId('mesh.test', 'sallyport-system', 'sallyport-controller');
const WEB = serviceAccountId('mesh.test', 'shop', 'web');
const POD: PodIdentity = {
  namespace: 'shop',
  namespaceUid: '',
  serviceAccountName: 'web',
  serviceAccountUid: 'sa-uid',
  podName: 'web-0',
  podUid: 'pod-uid',
  nodeName: 'node-1',
  nodeUid: 'node-uid',
};

/** Tokens are texts here; the attestor of Kubernetes is tested in src/controller. */
class FakeAttestor implements Attestor {
  readonly tokens = new Map<string, AttestedPod>();
  readonly gone = new Set<string>();

  attest(token: string): ReturnType<Attestor['attest']> {
    const known = this.tokens.get(token);
    return Promise.resolve(known === undefined ? refuseIssuance('token-refused', '') : ok(known));
  }

  confirm(pod: PodIdentity): ReturnType<Attestor['confirm']> {
    return this.gone.has(pod.podUid) ? refuseIssuance('pod-unknown', pod.podUid) : ok(undefined);
  }
}

let directory: string;
let scope: Scope;
let authority: CertificateAuthority;
let attestor: FakeAttestor;
let now: number;
let port: number;
let controller: WorkloadAgent;
let logged: Record<string, unknown>[];
const audit: AuditRecord[] = [];
const outcomes: IssuanceOutcome[] = [];
const revocations = new Watch<readonly Revocation[]>([]);
const failures: unknown[] = [];
/** Real timers and a date that tests move. */
const clock = { ...systemClock, now: () => now };

beforeEach(async () => {
  now = Date.now();
  audit.length = 0;
  outcomes.length = 0;
  logged = [];
  revocations.set([]);
  directory = await mkdtemp(join(tmpdir(), 'sallyport-issuance-'));
  scope = new Scope('test', (error) => failures.push(error));
  attestor = new FakeAttestor();
  attestor.tokens.set('token', {
    identity: WEB,
    pod: POD,
    token: { id: 'jti-1', expiresAt: now + 3_600_000 },
    run: '1',
  });
  authority = await CertificateAuthority.open({
    directory: join(directory, 'ca'),
    trustDomain: 'mesh.test',
    clock,
    log: silentLog,
    audit: (record) => void audit.push(record),
  });
  scope.defer(() => authority.close());
  port = await startServer();
});
afterEach(async () => {
  await scope.close();
  await rm(directory, { recursive: true });
  expect(failures.splice(0)).toEqual([]);
});

async function startServer(rates: Partial<IssuanceRates> = {}): Promise<number> {
  const service = new IssuanceService({
    authority,
    attestor,
    revocations,
    clock,
    log: { ...silentLog, warn: (_message, fields = {}) => logged.push(fields) },
    rates,
    onOutcome: (outcome) => outcomes.push(outcome),
  });
  controller = agentOf(CONTROLLER);
  await controller.whenReady(scope.signal);
  const own = controller;
  const server = await RpcServer.listen<SpiffePeer>(scope, {
    host: '127.0.0.1',
    port: 0,
    tls: () => ({
      crypto: nodeProvider,
      credential: own.credentials.value!.credential,
      clientAuthentication: {
        mode: 'request',
        required: false,
        verifier: spiffeVerifier({ bundle: authority.bundle, clock }),
      },
    }),
    services: (connection) => [service.serve(connection)],
    clock,
    log: silentLog,
  });
  return server.port;
}

function credentialOf(identity: SpiffeId): Promise<WorkloadCredential> {
  return agentOf(identity).whenReady(scope.signal);
}

function agentOf(identity: SpiffeId): WorkloadAgent {
  const agent = new WorkloadAgent({
    identity,
    issuance: { issue: (request) => authority.issue(request, identity) },
    bundle: authority.bundle,
    clock,
    log: silentLog,
    random: Math.random,
  });
  agent.run(scope);
  return agent;
}

/** Time that passes; the controller renews its own certificate in it. */
async function pass(milliseconds: number): Promise<void> {
  now += milliseconds;
  // A renewal that has just answered is over in the next turn only; before that, a new one would join it.
  await new Promise((resolve) => setImmediate(resolve));
  await controller.renewNow();
}

/** A sidecar: its agent, and whatever it asks the controller. */
function sidecar(identity: SpiffeId = WEB, token: () => Result<string, string> = () => ok('token')) {
  const issuance: RemoteIssuance = new RemoteIssuance({
    target: { host: '127.0.0.1', port },
    controller: CONTROLLER,
    bundle: authority.bundle,
    readToken: () => Promise.resolve(token()),
    current: () => agent.credentials.value,
    crypto: nodeProvider,
    clock,
  });
  const agent: WorkloadAgent = new WorkloadAgent({
    identity,
    issuance,
    bundle: authority.bundle,
    clock,
    log: silentLog,
    random: () => 0,
  });
  agent.run(scope);
  return { agent, issuance };
}

/** What the server answers to a request of one's own making: `issued`, or the code of its reason. */
async function ask(
  request: { csr: Uint8Array; token?: string },
  credential?: WorkloadCredential['credential'],
): Promise<string> {
  const channel = new RpcChannel({
    target: { host: '127.0.0.1', port },
    tls: () => ({
      crypto: nodeProvider,
      verifier: spiffeVerifier({ bundle: authority.bundle, clock }),
      ...(credential === undefined ? {} : { credential }),
    }),
    clock,
  });
  const options = { timeoutMilliseconds: 5000, signal: scope.signal };
  const certificateRequest = Buffer.from(request.csr);
  const answer =
    request.token === undefined
      ? await channel.unary(ISSUANCE.Renew, { certificateRequest }, options)
      : await channel.unary(ISSUANCE.Issue, { certificateRequest, token: request.token }, options);
  channel.close();
  if (answer.ok) return 'issued';
  return answer.error.remoteCode ?? `${answer.error.reason.code}: ${answer.error.detail}`;
}

/** The refusal is in the log and in what metrics are made of, with the same code. */
function expectTold(code: string): void {
  expect(logged.at(-1)).toMatchObject({ reason: code, remoteAddress: '127.0.0.1' });
  expect(outcomes.at(-1)?.refusal?.reason.code).toBe(code);
}

function csr(keys = makeKeys('ec-p256')): Uint8Array {
  return createCertificateRequest(keys);
}

test('a sidecar gets its first certificate by token and the next by certificate, over another key', async () => {
  const { agent, issuance } = sidecar();
  const first = await agent.whenReady(scope.signal);
  expect(first.spiffeId.toString()).toBe(WEB.toString());
  expect(Math.abs(issuance.clockOffset.value ?? 1e9)).toBeLessThan(1000);
  await pass(3_600_000);
  const second = await agent.renewNow();
  if (!second.ok) throw new Error(second.error.detail);
  expect(outcomes.map(({ method, refusal }) => [method, refusal?.reason.code])).toEqual([
    ['issue', undefined],
    ['renew', undefined],
  ]);
  const leaves = audit.filter(({ kind, subject }) => kind === 'leaf' && subject === WEB.toString());
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
  port = await startServer({ pod: { burst: 100, perSecond: 1 }, address: { burst: 100, perSecond: 1 } });
  const { agent } = sidecar();
  await agent.whenReady(scope.signal);
  for (let hours = 0; hours < 48; hours += 2) {
    await pass(2 * 3_600_000);
    const id = `jti after ${hours} h`;
    attestor.tokens.set('token', {
      ...attestor.tokens.get('token')!,
      token: { id, expiresAt: now + 3_600_000 },
    });
    expect((await agent.renewNow()).ok).toBe(true);
  }
  expect(outcomes.filter(({ refusal }) => refusal !== undefined)).toEqual([]);
  expect(outcomes.filter(({ method }) => method === 'issue').length).toBe(3);
});

test('attack: an attestation older than a day does not renew, however fresh the certificate is', async () => {
  const old = { method: 'certificate', attestedAt: now - DAY - 60_000, pod: POD, remoteAddress: '' } as const;
  const keys = makeKeys('ec-p256');
  const issued = await issueFor(csr(keys), old);
  if (!issued.ok) throw new Error(issued.error.detail);
  expect(await ask({ csr: csr() }, credentialFrom(issued.value.chain, keys))).toBe('attestation-too-old');
  expectTold('attestation-too-old');
});

function issueFor(request: Uint8Array, attestation: Attestation) {
  const parsed = parseIssuableRequest(request);
  if (!parsed.ok) throw new Error(parsed.error.detail);
  return authority.issueFor(parsed.value, WEB, attestation);
}

function credentialFrom(chain: readonly Uint8Array[], keys: ReturnType<typeof makeKeys>) {
  return {
    chain,
    signer: nodeSigner(keys.privateKey),
  };
}

test('attack: a request that asks for another identity gets the one that was attested', async () => {
  const foreign = requestOf('subjectAltName=URI:spiffe://mesh.test/ns/bank/sa/vault');
  expect(await ask({ csr: foreign, token: 'token' })).toBe('issued');
  expect(audit.at(-1)!.subject).toBe(WEB.toString());
  expect(audit.map(({ subject }) => subject).join()).not.toContain('vault');
});

test('attack: a request with several URI names gets one, the attested', async () => {
  const several = requestOf(`subjectAltName=URI:${WEB.toString()},URI:spiffe://mesh.test/ns/bank/sa/vault`);
  expect(await ask({ csr: several, token: 'token' })).toBe('issued');
  expect(audit.at(-1)!.subject).toBe(WEB.toString());
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

test('attack: a replayed token with another key', async () => {
  const first = csr();
  expect(await ask({ csr: first, token: 'token' })).toBe('issued');
  expect(await ask({ csr: csr(), token: 'token' })).toBe('token-used-with-another-key');
  expectTold('token-used-with-another-key');
  // An answer that was lost can be had again.
  expect(await ask({ csr: first, token: 'token' })).toBe('issued');
  // A sidecar that was started again has lost its key.
  attestor.tokens.set('token', { ...attestor.tokens.get('token')!, run: '2' });
  expect(await ask({ csr: csr(), token: 'token' })).toBe('issued');
  attestor.tokens.set('token', { ...attestor.tokens.get('token')!, run: '2' });
  expect(await ask({ csr: first, token: 'token' })).toBe('token-used-with-another-key');
});

test('the sidecar keeps to one key for each token, so a lost certificate does not lock it out', async () => {
  const { agent } = sidecar();
  await agent.whenReady(scope.signal);
  // The controller was away until the certificate had ended, and the kubelet has not renewed the token yet.
  await pass(7 * 3_600_000);
  attestor.tokens.set('token', {
    ...attestor.tokens.get('token')!,
    token: { id: 'jti-1', expiresAt: now + 3_600_000 },
  });
  const again = await agent.renewNow();
  expect(again.ok).toBe(true);
});

test('attack: a stolen certificate after its pod was deleted', async () => {
  const { agent } = sidecar();
  const { credential } = await agent.whenReady(scope.signal);
  attestor.gone.add('pod-uid');
  expect(await ask({ csr: csr() }, credential)).toBe('pod-unknown');
  expectTold('pod-unknown');
});

test('attack: a renewal without a certificate, and over the key of the current one', async () => {
  expect(await ask({ csr: csr() })).toBe('certificate-missing');
  expectTold('certificate-missing');
  const keys = makeKeys('ec-p256');
  const attested = { method: 'token', attestedAt: now, pod: POD, remoteAddress: '' } as const;
  const issued = await issueFor(csr(keys), attested);
  if (!issued.ok) throw new Error(issued.error.detail);
  const credential = credentialFrom(issued.value.chain, keys);
  expect(await ask({ csr: csr(keys) }, credential)).toBe('key-not-fresh');
  expect(await ask({ csr: csr() }, credential)).toBe('issued');
});

test('attack: a request whose signature is by another key', async () => {
  const [own, other] = [makeKeys('ec-p256'), makeKeys('ec-p256')];
  const forged = createCertificateRequest({
    publicKey: createPublicKey(other.privateKey),
    privateKey: own.privateKey,
  });
  expect(await ask({ csr: forged, token: 'token' })).toBe('request-not-proven');
  expectTold('request-not-proven');
  expect(await ask({ csr: Buffer.from('no request'), token: 'token' })).toBe('malformed-request');
});

test('attack: a certificate of this authority that names no pod is not renewed', async () => {
  const own = await credentialOf(CONTROLLER);
  expect(await ask({ csr: csr() }, own.credential)).toBe('certificate-names-no-pod');
});

test('what is revoked gets nothing: a pod, a ServiceAccount, a serial', async () => {
  const { agent } = sidecar();
  const { credential, serial } = await agent.whenReady(scope.signal);
  for (const revoked of [
    { kind: 'pod', value: 'pod-uid' },
    { kind: 'serviceAccount', value: 'shop/web' },
    { kind: 'serial', value: serial },
  ] as const) {
    revocations.set([{ ...revoked, at: now }]);
    expect(await ask({ csr: csr() }, credential)).toBe('identity-revoked');
    expectTold('identity-revoked');
  }
  revocations.set([{ kind: 'pod', value: 'pod-uid', at: now }]);
  expect(await ask({ csr: csr(), token: 'token' })).toBe('identity-revoked');
  revocations.set([{ kind: 'pod', value: 'another', at: now }]);
  expect(await ask({ csr: csr() }, credential)).toBe('issued');
});

test('rates are kept: of an address before anything is known of it, of a pod, of all', async () => {
  port = await startServer({ address: { burst: 1, perSecond: 0 } });
  const request = csr();
  expect(await ask({ csr: request, token: 'token' })).toBe('issued');
  expect(await ask({ csr: request, token: 'token' })).toBe('too-many-requests');
  expectTold('too-many-requests');
  port = await startServer({ pod: { burst: 1, perSecond: 0 } });
  expect(await ask({ csr: request, token: 'token' })).toBe('issued');
  expect(await ask({ csr: request, token: 'token' })).toBe('too-many-requests');
  port = await startServer({ overall: { burst: 1, perSecond: 0 } });
  expect(await ask({ csr: request, token: 'token' })).toBe('issued');
  expect(await ask({ csr: request, token: 'token' })).toBe('too-many-requests');
});

test('the sidecar talks to its controller only, and says what it saw', async () => {
  const impostor = await credentialOf(serviceAccountId('mesh.test', 'shop', 'impostor'));
  const server = await RpcServer.listen<SpiffePeer>(scope, {
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
    clock,
    log: silentLog,
  });
  port = server.port;
  const { agent } = sidecar();
  const answer = await agent.renewNow();
  expect(answer).toMatchObject({ error: { reason: { code: 'spiffe-id-mismatch' } } });
});

test('a missing token, or a controller that is away, is told by its reason', async () => {
  const untold = sidecar(WEB, () => err('/var/run/token cannot be read (ENOENT)'));
  expect(await untold.agent.renewNow()).toMatchObject({
    error: { detail: expect.stringContaining('ENOENT') },
  });
  port = 1;
  expect(await sidecar().agent.renewNow()).toMatchObject({ error: { reason: { code: 'rpc-unavailable' } } });
});

test('a certificate for somebody else than the sidecar is configured to be is not put to use', async () => {
  const other = parseSpiffeId('spiffe://mesh.test/ns/shop/sa/other');
  if (!other.ok) throw new Error(other.error);
  expect(await sidecar(other.value).agent.renewNow()).toMatchObject({
    error: { reason: { code: 'credential-unusable' } },
  });
});
