import { beforeEach, expect, test } from 'vitest';
import type { PodIdentity } from '#identity';
import { FakeClock } from '#runtime/testing';
import { FakeKubernetes } from '../testing/index.ts';
import { KubernetesAttestor } from './attestor.ts';
import { Pods } from './pods.ts';

const NOW = Date.UTC(2026, 5, 1);
const POD: PodIdentity = {
  namespace: 'shop',
  namespaceUid: '',
  serviceAccountName: 'web',
  serviceAccountUid: '',
  podName: 'web-0',
  podUid: 'uid-web-0',
  nodeName: 'node-1',
  nodeUid: '',
};
const SIGNAL = new AbortController().signal;

let clock: FakeClock;
let api: FakeKubernetes;
let pods: Pods;
let misused: string[];
let synced: boolean;
let attestor: KubernetesAttestor;

beforeEach(() => {
  clock = new FakeClock(NOW);
  api = new FakeKubernetes();
  pods = new Pods('sallyport');
  synced = true;
  attestor = new KubernetesAttestor({
    api,
    pods,
    synced: () => synced,
    clock,
    audience: 'sallyport',
    trustDomain: 'mesh.test',
    onMisuse: (of, { reason }) => misused.push(`${of.namespace}/${of.podName} ${reason.code}`),
  });
  misused = [];
  pods.apply('shop/web-0', pod('web-0', '10.0.0.5'));
});

function pod(name: string, address?: string, changes: { spec?: object; status?: object } = {}): object {
  return {
    metadata: { name, namespace: 'shop', uid: `uid-${name}` },
    spec: { serviceAccountName: 'web', nodeName: 'node-1', ...changes.spec },
    status: {
      phase: 'Running',
      podIPs: address === undefined ? [] : [{ ip: address }],
      ...changes.status,
    },
  };
}

/** A token as Kubernetes would confirm it, with what the test changes about it. */
function token(
  claims: { aud?: unknown; exp?: unknown } = {},
  review: { audiences?: unknown; username?: string; extra?: Record<string, string[]> } = {},
): string {
  const body = { aud: ['sallyport'], exp: NOW / 1000 + 3600, ...claims };
  const text = `e30.${Buffer.from(JSON.stringify(body)).toString('base64url')}.c2ln`;
  const { audiences = ['sallyport'], username = 'system:serviceaccount:shop:web', extra } = review;
  api.reviews.set(text, {
    authenticated: true,
    audiences,
    user: { username, uid: 'sa-uid', extra: extra ?? bound('web-0') },
  });
  return text;
}

function bound(name: string, changes: Record<string, string[]> = {}): Record<string, string[]> {
  const prefix = 'authentication.kubernetes.io/';
  return {
    [`${prefix}pod-name`]: [name],
    [`${prefix}pod-uid`]: [`uid-${name}`],
    [`${prefix}node-name`]: ['node-1'],
    [`${prefix}node-uid`]: ['node-uid'],
    [`${prefix}credential-id`]: ['JTI=1'],
    ...changes,
  };
}

async function codeFor(text: string, address = '10.0.0.5'): Promise<string> {
  const attested = await attestor.attest(text, address, SIGNAL);
  return attested.ok ? 'attested' : attested.error.reason.code;
}

test('a pod that calls from its own address with its own token is who Kubernetes says', async () => {
  const attested = await attestor.attest(token(), '10.0.0.5', SIGNAL);
  if (!attested.ok) throw new Error(attested.error.detail);
  expect(attested.value.identity.toString()).toBe('spiffe://mesh.test/ns/shop/sa/web');
  expect(attested.value).toMatchObject({
    pod: { namespace: 'shop', podUid: 'uid-web-0', nodeName: 'node-1', serviceAccountUid: 'sa-uid' },
    token: { id: 'JTI=1', expiresAt: NOW + 3_600_000 },
    run: 0,
  });
});

test('attack: the token of one pod used from another', async () => {
  pods.apply('shop/thief', pod('thief', '10.0.0.6'));
  expect(await codeFor(token(), '10.0.0.6')).toBe('token-of-another-pod');
  // Its owner is told; who shows no pod's token can make no event of any pod.
  expect(misused).toEqual(['shop/web-0 token-of-another-pod']);
  expect(await codeFor('made.up.token', '10.0.0.6')).toBe('token-malformed');
  expect(misused).toHaveLength(1);
});

test('attack: a wrong audience, in the token or as Kubernetes saw it', async () => {
  expect(await codeFor(token({ aud: ['https://kubernetes.default.svc'] }))).toBe('token-wrong-audience');
  expect(api.sent).toEqual([]);
  // An API server that does not know audiences answers without them: no fallback.
  expect(await codeFor(token({}, { audiences: null }))).toBe('token-wrong-audience');
  expect(await codeFor(token({}, { audiences: [] }))).toBe('token-wrong-audience');
  expect(await codeFor(token({}, { audiences: ['other'] }))).toBe('token-wrong-audience');
});

test('attack: an expired token', async () => {
  expect(await codeFor(token({ exp: NOW / 1000 }))).toBe('token-expired');
  const live = token();
  await clock.advance(3_600_000);
  expect(await codeFor(live)).toBe('token-expired');
});

test('attack: a forged token, and what is none', async () => {
  const forged = token();
  api.reviews.clear();
  expect(await codeFor(forged)).toBe('token-refused');
  for (const text of [
    '',
    'a.b',
    'a.b.c',
    'e30.e30.e30',
    `e30.${Buffer.from('[]').toString('base64url')}.x`,
    'ä.b.c',
  ]) {
    expect(await codeFor(text)).toBe('token-malformed');
  }
});

test('attack: a token that is bound to no pod, no node or no id, as those from Secrets are', async () => {
  const prefix = 'authentication.kubernetes.io/';
  for (const name of ['pod-uid', 'node-name', 'credential-id']) {
    expect(await codeFor(token({}, { extra: bound('web-0', { [`${prefix}${name}`]: [] }) }))).toBe(
      'token-not-bound',
    );
  }
  expect(await codeFor(token({}, { extra: {} }))).toBe('token-not-bound');
  expect(await codeFor(token({}, { username: 'kubernetes-admin' }))).toBe('token-not-bound');
});

test('attack: a token whose ServiceAccount or node is not that of the pod', async () => {
  expect(await codeFor(token({}, { username: 'system:serviceaccount:shop:bank' }))).toBe('pod-differs');
  expect(await codeFor(token({}, { username: 'system:serviceaccount:bank:web' }))).toBe('pod-differs');
  const extra = bound('web-0', { 'authentication.kubernetes.io/node-name': ['node-2'] });
  expect(await codeFor(token({}, { extra }))).toBe('pod-differs');
});

test('a pod on its host network gets nothing, and neither does one that has ended', async () => {
  pods.apply('shop/web-0', pod('web-0', '10.0.0.5', { spec: { hostNetwork: true } }));
  expect(await codeFor(token())).toBe('pod-on-host-network');
  pods.apply('shop/web-0', pod('web-0', '10.0.0.5', { status: { phase: 'Succeeded' } }));
  expect(await codeFor(token())).toBe('pod-unknown');
});

test('the address of a new pod is waited for, five seconds', async () => {
  pods.apply('shop/web-0', pod('web-0'));
  const soon = codeFor(token());
  await clock.advance(4000);
  pods.apply('shop/web-0', pod('web-0', '10.0.0.5'));
  expect(await soon).toBe('attested');

  pods.apply('shop/web-0', undefined);
  const unknown = codeFor(token());
  await clock.advance(5000);
  expect(await unknown).toBe('pod-unknown');

  pods.apply('shop/web-0', pod('web-0'));
  const never = codeFor(token());
  await clock.advance(5000);
  expect(await never).toBe('token-of-another-pod');
  expect(clock.pendingTimers).toBe(0);
});

test('before all pods were told, one that is not known is not said to be gone', async () => {
  synced = false;
  const unknown = { ...POD, podUid: 'uid-of-another' };
  const answer = attestor.confirm(unknown, '10.0.0.5');
  expect(answer).toMatchObject({
    error: { reason: { code: 'attestation-unavailable' }, status: 'UNAVAILABLE' },
  });
  expect(attestor.confirm(POD, '10.0.0.5').ok).toBe(true);
  synced = true;
  expect(attestor.confirm(unknown, '10.0.0.5')).toMatchObject({ error: { reason: { code: 'pod-unknown' } } });
});

test('a restart of the sidecar is another run; one of another container is not', async () => {
  const runOf = async (containerStatuses: object[]): Promise<number | string> => {
    pods.apply('shop/web-0', pod('web-0', '10.0.0.5', { status: { containerStatuses } }));
    const attested = await attestor.attest(token(), '10.0.0.5', SIGNAL);
    return attested.ok ? attested.value.run : attested.error.reason.code;
  };
  const first = await runOf([{ name: 'sallyport', restartCount: 0 }]);
  expect(
    await runOf([
      { name: 'app', restartCount: 9 },
      { name: 'sallyport', restartCount: 0 },
    ]),
  ).toBe(first);
  expect(first).toBe(0);
  expect(await runOf([{ name: 'sallyport', restartCount: 1 }])).toBe(1);
});

test('an API server that is away is told apart from a refusal', async () => {
  const text = token();
  api.down = true;
  expect(await codeFor(text)).toBe('attestation-unavailable');
});

test('a certificate is confirmed while its pod is there, unchanged, at its address', () => {
  const codeOf = (of: PodIdentity, address = '10.0.0.5'): string => {
    const confirmed = attestor.confirm(of, address);
    return confirmed.ok ? 'confirmed' : confirmed.error.reason.code;
  };
  expect(codeOf(POD)).toBe('confirmed');
  expect(codeOf(POD, '10.0.0.6')).toBe('token-of-another-pod');
  expect(codeOf({ ...POD, serviceAccountName: 'bank' })).toBe('pod-differs');
  // The name is used again by a StatefulSet: another pod, with another UID.
  pods.apply('shop/web-0', {
    ...pod('web-0', '10.0.0.5'),
    metadata: { name: 'web-0', namespace: 'shop', uid: 'new' },
  });
  expect(codeOf(POD)).toBe('pod-unknown');
});
