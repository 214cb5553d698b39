import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TestApiServer } from '#controller/testing';
import { TlsError } from '#handshake';
import { nodeProvider } from '#handshake/crypto';
import { credentialOf, makeIdentity } from '#handshake/testing';
import { DISCOVERY, RpcChannel } from '#rpc';
import { systemClock } from '#runtime';
import type { Discovery } from '#sidecar';
import { believed, SERVICES, SLICES, World } from './world.ts';

let world: World;

beforeEach(async () => {
  world = await World.start();
});
afterEach(async () => {
  await world.stop();
  expect(world.failures).toEqual([]);
});

/** `meshed orders`, `unmeshed`, `egress`, the names of a Service's endpoints, or the reason of a refusal. */
async function whoAt(discovery: Discovery, host: string, port = 80): Promise<string> {
  try {
    const destination = await discovery.destinationOf({ host, port }, () => false, false);
    if (destination.kind === 'meshed') return `meshed ${nameOf(destination.identities)}`;
    if (destination.kind !== 'service') return destination.kind;
    return destination.endpoints.endpoints
      .map((one) => (one.kind === 'meshed' ? nameOf(one.identities) : `${one.address.host} unmeshed`))
      .join();
  } catch (error) {
    if (error instanceof TlsError) return error.reason.code;
    throw error;
  }
}

/** The same without waiting for an answer: then it is `held`. */
function atOnce(discovery: Discovery, host: string): Promise<string> {
  return Promise.race([whoAt(discovery, host), pause(20, 'held')]);
}

function nameOf(identities: readonly unknown[]): string {
  return identities.map((id) => String(id).replace('spiffe://mesh.test/ns/shop/sa/', '')).join();
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 1_500; turn += 1) {
    if (await condition()) return;
    await pause(10);
  }
  throw new Error('it never came true');
}

test('a sidecar learns who stands behind addresses, and what changes of it', async () => {
  world.pod('orders', '10.1.0.1');
  world.pod('old', '10.1.0.2', false);
  world.api.put(SERVICES, {
    metadata: { name: 'orders', namespace: 'shop' },
    spec: { clusterIPs: ['10.96.0.1'], ports: [{ port: 80, targetPort: 8080 }] },
  });
  const endpoint = (name: string, ip: string) => ({
    addresses: [ip],
    targetRef: { kind: 'Pod', uid: `uid-${name}` },
  });
  const slice = (...endpoints: object[]) =>
    world.api.put(SLICES, {
      metadata: { name: 'orders-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'orders' } },
      addressType: 'IPv4',
      ports: [{ port: 8080 }],
      endpoints,
    });
  slice(endpoint('orders', '10.1.0.1'), endpoint('old', '10.1.0.2'));
  const web = world.sidecar((await world.controller()).port);
  await until(async () => (await whoAt(web, '10.1.0.1')) === 'meshed orders');
  expect(await whoAt(web, '10.1.0.2')).toBe('unmeshed');
  expect(await whoAt(web, '10.96.0.1')).toBe('orders,10.1.0.2 unmeshed');
  expect(await whoAt(web, '192.0.2.1', 443)).toBe('egress');
  expect(await whoAt(web, '10.1.0.9')).toBe('destination-unknown');
  // A new pod is called before the controller has heard of it.
  const called = whoAt(web, '10.1.0.3');
  world.pod('new', '10.1.0.3');
  expect(await called).toBe('meshed new');
  slice(endpoint('orders', '10.1.0.1'));
  await until(async () => (await whoAt(web, '10.96.0.1')) === 'orders');
});

test('an address goes 100 times from pod to pod, meshed and not: no plaintext to a meshed pod, no wrong identity', async () => {
  const { port } = await world.controller();
  const web = world.sidecar(port);
  world.pod('pod-0', '10.1.0.1', false);
  await until(async () => (await whoAt(web, '10.1.0.1')) === 'unmeshed');
  let holder = 'unmeshed';
  let wrong = 0;
  let asked = 0;
  let plaintext = 0;
  const over = new AbortController();
  const calls = (async () => {
    while (!over.signal.aborted) {
      const answer = await whoAt(web, '10.1.0.1');
      asked += 1;
      if (answer === 'unmeshed') {
        plaintext += 1;
        if (holder.startsWith('meshed')) wrong += 1;
      }
      await pause(1);
    }
  })();
  for (let turn = 1; turn <= 100; turn += 1) {
    const before = `pod-${turn - 1}`;
    const now = `pod-${turn}`;
    const meshed = turn % 2 === 1;
    // As Kubernetes does: the pod is marked, its processes end, its address is free, another pod gets it, the API server
    // hears of that, and last that the old pod is gone.
    world.pod(before, '10.1.0.1', !meshed, { deletionTimestamp: '2026-01-01T00:00:30Z' });
    // However busy this machine is: by the time that processes take to end, everybody has heard of the mark.
    await until(async () => (await atOnce(web, '10.1.0.1')) !== 'unmeshed');
    holder = meshed ? `meshed ${now}` : 'unmeshed';
    await pause(20);
    world.pod(now, '10.1.0.1', meshed);
    await pause(10);
    world.api.delete('/api/v1/pods', `shop/${before}`);
    await until(async () => (await whoAt(web, '10.1.0.1')) === holder);
  }
  over.abort();
  await calls;
  expect(wrong).toBe(0);
  expect(plaintext).toBeGreaterThan(20);
  expect(asked).toBeGreaterThan(200);
}, 120_000);

describe('controllers come and go', () => {
  test('what is known stays, and the next one goes on', async () => {
    world.pod('orders', '10.1.0.1');
    const first = await world.controller();
    const second = await world.controller();
    const web = world.sidecar(first.port, second.port);
    await until(async () => (await whoAt(web, '10.1.0.1')) === 'meshed orders');
    await first.stop();
    expect(await whoAt(web, '10.1.0.1')).toBe('meshed orders');
    world.pod('new', '10.1.0.2');
    await until(async () => (await whoAt(web, '10.1.0.2')) === 'meshed new');
    expect(second.hub.sessions).toBe(1);
  });

  test('a replica that is behind gives no old answers', async () => {
    world.pod('old', '10.1.0.1', false);
    const first = await world.controller();
    // The other follows an API server that has stopped hearing of changes.
    const stale = new TestApiServer(systemClock);
    await stale.start();
    try {
      stale.put('/api/v1/pods', {
        metadata: { name: 'old', namespace: 'shop' },
        spec: { containers: [] },
        status: { phase: 'Running', podIPs: [{ ip: '10.1.0.1' }] },
      });
      const behind = await world.controller(0, stale);
      const web = world.sidecar(first.port, behind.port);
      await until(async () => (await whoAt(web, '10.1.0.1')) === 'unmeshed');
      world.api.delete('/api/v1/pods', 'shop/old');
      world.pod('new', '10.1.0.1');
      await until(async () => (await whoAt(web, '10.1.0.1')) === 'meshed new');
      // Long enough for a lease, which says how far that controller was.
      await pause(4_000);
      await first.stop();
      await until(() => behind.hub.sessions === 1);
      await pause(500);
      expect(await whoAt(web, '10.1.0.1')).toBe('meshed new');
      expect(await whoAt(web, '10.1.0.2')).toBe('destination-unknown');
    } finally {
      await stale.stop();
    }
  }, 60_000);
});

describe('on the wire', () => {
  const channelTo = (port: number, name: string | undefined): RpcChannel =>
    new RpcChannel({
      target: { host: '127.0.0.1', port },
      tls: () => ({
        crypto: nodeProvider,
        verifier: believed,
        ...(name === undefined ? {} : { credential: credentialOf(makeIdentity(name)) }),
      }),
      clock: systemClock,
    });

  test('a connection without a certificate is told nothing', async () => {
    const { port } = await world.controller();
    const channel = channelTo(port, undefined);
    const call = channel.bidirectional(DISCOVERY.Watch);
    const said: unknown[] = [];
    const code = await new Promise((resolve) => {
      call.on('data', (response) => said.push(response));
      call.on('error', (error: Parameters<RpcChannel['failure']>[0]) =>
        resolve(channel.failure(error).remoteCode),
      );
      call.write({ start: {} });
    });
    expect(code).toBe('discovery-unauthenticated');
    expect(said).toEqual([]);
    channel.close();
  });
});
