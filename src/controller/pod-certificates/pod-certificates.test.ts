import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CertificateAuthority } from '#identity/ca';
import type { IssuanceOutcome, Revocation } from '#identity/issuance';
import { createCertificateRequest, makeKeys } from '#identity/testing';
import { err, type Fields, jsonLog, type Log, Scope, Watch } from '#runtime';
import { FakeClock } from '#runtime/testing';
import { Pods } from '../issuance/pods.ts';
import type { ApiAnswer, KubernetesApi } from '../kubernetes/api.ts';
import { POD_CERTIFICATE_LIMITS } from './limits.ts';
import { PodCertificateSigner, type PodCertificateSignerConfig } from './signer.ts';
import type { TerminalStatus } from './status.ts';

const NOW = Date.UTC(2026, 5, 1);
const HOUR = 3_600_000;
const SIGNER = 'mesh.sallyport.dev/workload';
const KEYS = makeKeys('ec-p256');
const CSR = Buffer.from(createCertificateRequest(KEYS)).toString('base64');

/** Takes statuses as the API server does: for the newest version only. */
class StatusApi implements KubernetesApi {
  readonly written = new Map<string, TerminalStatus>();
  readonly versions = new Map<string, string>();
  writes = 0;
  /** What the next writes are answered with, instead. */
  readonly answers: (ApiAnswer | Error)[] = [];

  send(method: string, path: string, body?: object): Promise<ApiAnswer> {
    expect(method).toBe('PUT');
    const [, namespace, name] =
      /^\/apis\/certificates\.k8s\.io\/v1beta1\/namespaces\/([^/]+)\/podcertificaterequests\/([^/]+)\/status$/.exec(
        path,
      ) ?? [];
    this.writes += 1;
    const answer = this.answers.shift();
    if (answer instanceof Error) return Promise.reject(answer);
    if (answer !== undefined) return Promise.resolve(answer);
    const { metadata, status } = body as { metadata: { resourceVersion: string }; status: TerminalStatus };
    const key = `${namespace}/${name}`;
    const version = this.versions.get(key);
    if (version === undefined) return Promise.resolve({ status: 404, body: {} });
    if (version !== metadata.resourceVersion)
      return Promise.resolve({ status: 409, body: { message: 'conflict' } });
    this.written.set(key, status);
    return Promise.resolve({ status: 200, body: {} });
  }
}

let clock: FakeClock;
let api: StatusApi;
let pods: Pods;
let folder: string;
let authority: CertificateAuthority;
let revocations: Watch<readonly Revocation[]>;
let leads: Watch<boolean>;
let scope: Scope;
let synced: boolean;
let lines: string[];
let outcomes: IssuanceOutcome[];
const failures: unknown[] = [];

beforeEach(async () => {
  clock = new FakeClock(NOW);
  api = new StatusApi();
  pods = new Pods('sallyport');
  folder = mkdtempSync(join(tmpdir(), 'sallyport-pod-certificates-'));
  lines = [];
  authority = await CertificateAuthority.open({
    directory: join(folder, 'ca'),
    trustDomain: 'mesh.test',
    clock,
    log: log(),
  });
  revocations = new Watch<readonly Revocation[]>([]);
  leads = new Watch(true);
  scope = new Scope('test', (error) => failures.push(error));
  synced = true;
  outcomes = [];
  pods.apply('shop/web-0', pod('web-0'));
});
afterEach(async () => {
  await scope.close();
  await authority.close();
  rmSync(folder, { recursive: true });
  expect(failures.splice(0)).toEqual([]);
});

function log(): Log {
  return jsonLog('info', (line) => void lines.push(line));
}

function signer(changes: Partial<PodCertificateSignerConfig> = {}): PodCertificateSigner {
  const made = new PodCertificateSigner({
    signerName: SIGNER,
    ...{ api, authority, pods, revocations, leads, clock },
    synced: () => synced,
    trustDomain: 'mesh.test',
    log: log(),
    onOutcome: (outcome) => outcomes.push(outcome),
    ...changes,
  });
  made.run(scope);
  return made;
}

function pod(name: string, changes: { spec?: object; status?: object } = {}): object {
  return {
    metadata: { name, namespace: 'shop', uid: `uid-${name}` },
    spec: { serviceAccountName: 'web', nodeName: 'node-1', ...changes.spec },
    // Its volumes are mounted before it has an address.
    status: { phase: 'Pending', ...changes.status },
  };
}

interface RequestChanges {
  readonly name?: string;
  readonly namespace?: string;
  readonly version?: string;
  readonly spec?: object;
  readonly status?: object;
}

function ask(to: PodCertificateSigner, changes: RequestChanges = {}): string {
  const { name = 'request-1', namespace = 'shop', version = '7', spec, status } = changes;
  const key = `${namespace}/${name}`;
  api.versions.set(key, version);
  to.apply(key, {
    metadata: { name, namespace, uid: `uid-${name}`, resourceVersion: version },
    spec: {
      signerName: SIGNER,
      podName: 'web-0',
      podUID: 'uid-web-0',
      serviceAccountName: 'web',
      serviceAccountUID: 'uid-sa',
      nodeName: 'node-1',
      nodeUID: 'uid-node',
      maxExpirationSeconds: 86_400,
      stubPKCS10Request: CSR,
      ...spec,
    },
    ...(status === undefined ? {} : { status }),
  });
  return key;
}

/** Long enough for whatever needs no waiting. */
const settle = (): Promise<void> => clock.advance(10);

async function answerOf(changes: RequestChanges): Promise<string> {
  const key = ask(signer(), changes);
  await settle();
  const [condition] = api.written.get(key)?.conditions ?? [];
  return condition === undefined ? 'waits' : `${condition.type} ${condition.reason}: ${condition.message}`;
}

describe('a request for a pod that is there', () => {
  it('is answered with a chain for its ServiceAccount, the times of the leaf, and an audit record', async () => {
    const key = ask(signer());
    await settle();
    const status = api.written.get(key);
    expect(status?.conditions).toMatchObject([{ type: 'Issued', status: 'True', reason: 'Issued' }]);
    const [leaf, intermediate] = (status?.certificateChain ?? '').split(/(?<=-----END CERTIFICATE-----\n)/);
    const read = new X509Certificate(leaf ?? '');
    expect(read.subjectAltName).toContain('URI:spiffe://mesh.test/ns/shop/sa/web');
    expect(read.verify(new X509Certificate(intermediate ?? '').publicKey)).toBe(true);
    expect(read.publicKey.equals(KEYS.publicKey)).toBe(true);
    // The API server compares these with the leaf, and demands notBefore within five minutes and a life of an hour.
    expect(status?.notBefore).toBe(new Date(read.validFrom).toISOString().replace('.000', ''));
    expect(status?.notAfter).toBe(new Date(read.validTo).toISOString().replace('.000', ''));
    expect(NOW - Date.parse(status?.notBefore ?? '')).toBe(POD_CERTIFICATE_LIMITS.backdateMilliseconds);
    const life = Date.parse(status?.notAfter ?? '') - Date.parse(status?.notBefore ?? '');
    expect(life).toBe(6 * HOUR + POD_CERTIFICATE_LIMITS.backdateMilliseconds);
    expect(Date.parse(status?.beginRefreshAt ?? '') - Date.parse(status?.notBefore ?? '')).toBeCloseTo(
      life / 3,
      -4,
    );
    const [record] = lines
      .filter((line) => line.includes('"kind":"leaf"'))
      .map((line) => JSON.parse(line) as Fields);
    expect(record).toMatchObject({
      message: 'certificate issued',
      subject: 'spiffe://mesh.test/ns/shop/sa/web',
      attestation: { method: 'pod-certificate-request', request: 'shop/request-1', podUid: 'uid-web-0' },
    });
    expect(outcomes).toMatchObject([{ method: 'pod-certificate', refusal: undefined }]);
  });

  it.each([3600, 5000, 7_862_400])('lives no longer than the %d s that were allowed', async (seconds) => {
    const key = ask(signer(), { spec: { maxExpirationSeconds: seconds } });
    await settle();
    const { notAfter = '', notBefore = '' } = api.written.get(key) ?? {};
    const life = Date.parse(notAfter) - Date.parse(notBefore);
    expect(life).toBeLessThanOrEqual(seconds * 1000);
    expect(life).toBeGreaterThanOrEqual(HOUR);
  });

  it('waits for the leader, and for a pod that becomes known a little later', async () => {
    leads.set(false);
    const made = signer();
    const key = ask(made, { spec: { podName: 'web-1', podUID: 'uid-web-1' } });
    await clock.advance(5000);
    expect(api.writes).toBe(0);
    leads.set(true);
    await clock.advance(5000);
    expect(api.writes).toBe(0);
    pods.apply('shop/web-1', pod('web-1'));
    await settle();
    expect(api.written.get(key)?.conditions[0].type).toBe('Issued');
    expect(made.pending).toBe(0);
  });

  it('is written again when the API server was away, and the certificate is the same', async () => {
    api.answers.push(new Error('away'), { status: 503, body: { message: 'starting' } });
    const key = ask(signer());
    await clock.advance(20_000);
    expect(api.written.get(key)?.conditions[0].type).toBe('Issued');
    expect(api.writes).toBe(3);
    expect(lines.filter((line) => line.includes('"kind":"leaf"'))).toHaveLength(1);
    expect(lines.filter((line) => line.includes('pod-certificate-not-written'))).toHaveLength(1);
  });

  it('is answered as it is now, when it was changed meanwhile', async () => {
    const made = signer();
    ask(made);
    api.versions.set('shop/request-1', '8');
    await settle();
    expect(api.written.size).toBe(0);
    const key = ask(made, { version: '8' });
    await settle();
    expect(api.written.has(key)).toBe(true);
    expect(made.pending).toBe(0);
  });

  it('is left alone once it is answered, gone, or for another signer', async () => {
    const made = signer();
    leads.set(false);
    for (const type of ['Issued', 'Denied', 'Failed']) {
      ask(made, { name: type.toLowerCase(), status: { conditions: [{ type, status: 'True' }] } });
    }
    ask(made, { name: 'other', spec: { signerName: 'example.org/other' } });
    made.apply(ask(made, { name: 'gone' }), undefined);
    expect(made.pending).toBe(0);
  });

  it('of two signers that both lead, one answer counts', async () => {
    const [one, two] = [signer(), signer()];
    ask(one);
    const key = ask(two);
    await settle();
    expect(api.written.has(key)).toBe(true);
    for (const each of [one, two]) {
      expect(each.pending).toBe(0);
    }
  });

  it('waits while the authority cannot sign', async () => {
    const reason = { code: 'issuer-ending', blame: 'operator' } as never;
    const refusing = { issueFor: () => Promise.resolve(err({ reason, detail: 'tomorrow' })) };
    const made = signer({ authority: refusing });
    ask(made);
    await clock.advance(10_000);
    expect(api.writes).toBe(0);
    expect(made.pending).toBe(1);
    expect(lines.filter((line) => line.includes('issuer-ending'))).toHaveLength(1);
  });
});

describe('attack: a request', () => {
  const csr = (keys: Parameters<typeof createCertificateRequest>[0]): string =>
    Buffer.from(createCertificateRequest(keys)).toString('base64');

  it.each<[string, string, RequestChanges]>([
    ['under another ServiceAccount', 'Denied PodDiffers', { spec: { serviceAccountName: 'admin' } }],
    ['on another node', 'Denied PodDiffers', { spec: { nodeName: 'node-2' } }],
    ['with the name of another pod', 'Denied PodDiffers', { spec: { podName: 'web-1' } }],
    ['for a pod of another namespace', 'Denied PodDiffers', { namespace: 'thieves' }],
    ['without a CSR', 'Denied PodCertificateMalformed', { spec: { stubPKCS10Request: undefined } }],
    ['without a node', 'Denied PodCertificateMalformed', { spec: { nodeUID: '' } }],
    ['for half an hour', 'Denied PodCertificateMalformed', { spec: { maxExpirationSeconds: 1800 } }],
    [
      'with annotations',
      'Denied PodCertificateAnnotated',
      { spec: { unverifiedUserAnnotations: { 'a.b/c': 'd' } } },
    ],
    ['with a CSR that is none', 'Denied MalformedRequest', { spec: { stubPKCS10Request: 'AAAA' } }],
    ['whose fields have other types', 'Denied PodCertificateMalformed', { spec: { podUID: 7, podName: {} } }],
  ])('%s is denied', async (_, expected, changes) => {
    expect(await answerOf(changes)).toContain(expected);
    expect(lines.some((line) => line.includes('"kind":"leaf"'))).toBe(false);
    expect(outcomes[0]?.refusal).toBeDefined();
  });

  it.each(['rsa', 'ed25519', 'p521'] as const)(
    'over a %s key is denied as the API names it',
    async (kind) => {
      const keys =
        kind === 'rsa'
          ? generateKeyPairSync('rsa', { modulusLength: 3072 })
          : kind === 'ed25519'
            ? generateKeyPairSync('ed25519')
            : generateKeyPairSync('ec', { namedCurve: 'P-521' });
      // Only the key counts: it is looked at before the signature.
      const stubPKCS10Request = csr({ publicKey: keys.publicKey, privateKey: KEYS.privateKey });
      expect(await answerOf({ spec: { stubPKCS10Request } })).toContain('Denied UnsupportedKeyType');
    },
  );

  it("over somebody else's key is denied", async () => {
    const stubPKCS10Request = csr({ publicKey: makeKeys('ec-p256').publicKey, privateKey: KEYS.privateKey });
    expect(await answerOf({ spec: { stubPKCS10Request } })).toContain('Denied RequestNotProven');
  });

  it("for a pod on its host's network, of one that ended, or of one that was never there, is denied", async () => {
    pods.apply('shop/host', pod('host', { spec: { hostNetwork: true } }));
    pods.apply('shop/ended', pod('ended', { status: { phase: 'Failed' } }));
    const made = signer();
    for (const name of ['host', 'ended', 'nobody']) {
      ask(made, { name, spec: { podName: name, podUID: `uid-${name}` } });
    }
    await settle();
    expect(api.written.get('shop/host')?.conditions[0].reason).toBe('PodOnHostNetwork');
    expect(api.written.get('shop/ended')?.conditions[0].reason).toBe('PodUnknown');
    expect(api.written.has('shop/nobody')).toBe(false);
    // Not while the pods of the cluster are still being listed.
    synced = false;
    await clock.advance(2 * POD_CERTIFICATE_LIMITS.unknownPodMilliseconds);
    expect(api.written.has('shop/nobody')).toBe(false);
    synced = true;
    await clock.advance(2 * POD_CERTIFICATE_LIMITS.longestRetryMilliseconds);
    expect(api.written.get('shop/nobody')?.conditions[0].reason).toBe('PodUnknown');
  });

  it('of a revoked pod or ServiceAccount is denied', async () => {
    revocations.set([{ kind: 'serviceAccount', value: 'shop/web', at: NOW }]);
    expect(await answerOf({})).toContain('Denied IdentityRevoked');
    revocations.set([{ kind: 'pod', value: 'uid-web-0', at: NOW }]);
    expect(await answerOf({ name: 'second' })).toContain('Denied IdentityRevoked');
  });

  it('in thousands from one node costs no more than its rate, and what waits has a bound', async () => {
    const made = signer();
    leads.set(false);
    const { node, pending } = POD_CERTIFICATE_LIMITS;
    for (let index = 0; index < pending + 50; index += 1) ask(made, { name: `request-${index}` });
    expect(made.pending).toBe(pending);
    expect(lines.filter((line) => line.includes('left out'))).toHaveLength(1);
    leads.set(true);
    await settle();
    expect(api.written.size).toBe(node.burst);
    // Other nodes don't wait for it.
    pods.apply('shop/else', pod('else', { spec: { nodeName: 'node-2' } }));
    made.apply('shop/request-0', undefined);
    for (const key of [...api.versions.keys()].slice(node.burst, node.burst + 2)) made.apply(key, undefined);
    const key = ask(made, {
      name: 'elsewhere',
      spec: { podName: 'else', podUID: 'uid-else', nodeName: 'node-2' },
    });
    await settle();
    expect(api.written.get(key)?.conditions[0].type).toBe('Issued');
  });
});
