import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Refusal } from '#handshake';
import { Scope, silentLog } from '#runtime';
import { FakeClock } from '#runtime/testing';
import type { DiscoveryRequest__Output, DiscoveryResponse } from '#rpc';
import { Cluster } from '../cluster.ts';
import type { ObjectKind } from '../graph/records.ts';
import { PATHS } from '../objects/kinds.ts';
import { cidr } from '../../testing/cidr.ts';
import type { ApiEvent, ApiObject, ApiObjects } from '../watch/api-objects.ts';
import { Hub } from './hub.ts';
import { SERVE_LIMITS } from './limits.ts';
import type { Session } from './session.ts';

let clock: FakeClock;
let feed: Feed;
let scope: Scope;
let hub: Hub;
const failures: unknown[] = [];

beforeEach(async () => {
  clock = new FakeClock();
  feed = new Feed();
  scope = new Scope('test', (error) => failures.push(error));
  const cluster = new Cluster({
    api: feed,
    clusterNetworks: [cidr('10.1.0.0/16')],
    clock,
    log: silentLog,
    random: () => 0,
  });
  hub = new Hub({ cluster, trustDomain: 'mesh.test', clock, log: silentLog, limits: { subscriptions: 3 } });
  hub.run(scope);
  cluster.run(scope);
  await clock.advance(0);
});
afterEach(async () => {
  await scope.close();
  expect(failures.splice(0)).toEqual([]);
});

/** A sidecar's end of a stream. */
class Sidecar {
  readonly said: DiscoveryResponse[] = [];
  readonly session: Session;
  reads = true;
  ended: Refusal | undefined;

  constructor() {
    this.session = hub.open(
      {
        write: (response) => {
          this.said.push(response);
          return this.reads;
        },
        end: (refusal) => {
          this.ended = refusal;
        },
      },
      'web',
    );
  }

  send(request: Omit<DiscoveryRequest__Output, 'request'>): this {
    const [name] = Object.keys(request);
    this.session.receive({ ...request, request: name } as DiscoveryRequest__Output);
    return this;
  }

  start(pods = 0): this {
    return this.send({
      start: {
        policies: null,
        seen: { pods, services: 0, endpointslices: 0, nodes: 0, meshpolicies: 0, meshtlses: 0 },
      },
    });
  }

  ask(address: string, version = '', port = 80): this {
    return this.send({ subscribe: { keys: [{ key: { address, port }, version }] } });
  }

  renew(sequence: number): this {
    return this.send({ renew: { sequence } });
  }

  /** `10.1.0.1 meshed`, `renewed 3`, `networks`, one for each message since the last time. */
  heard(): string[] {
    return this.said.splice(0).map(({ answer, renewed }) => {
      if (renewed) return `renewed ${Number(renewed.sequence)} for ${Number(renewed.leaseMilliseconds)}`;
      if (!answer) return 'networks';
      const what = answer.workload ? (answer.workload.party?.meshed ? 'meshed' : 'unmeshed') : undefined;
      return `${answer.key?.address} ${what ?? (answer.unchanged ? 'unchanged' : 'unknown')}`;
    });
  }
}

test('says the networks first, then what was asked, then changes of it, and nothing else', async () => {
  feed.pod('a', '10.1.0.1');
  await clock.advance(20);
  const web = new Sidecar().start().ask('10.1.0.1').ask('10.1.0.2');
  await clock.advance(20);
  expect(web.heard()).toEqual(['networks', '10.1.0.1 meshed', '10.1.0.2 unknown']);
  feed.pod('b', '10.1.0.2', false);
  feed.pod('c', '10.1.0.3');
  await clock.advance(20);
  expect(web.heard()).toEqual(['10.1.0.2 unmeshed']);
  // A change that leaves the answer as it was.
  feed.pod('a', '10.1.0.1');
  await clock.advance(20);
  expect(web.heard()).toEqual([]);
  web.send({ unsubscribe: { keys: [{ address: '10.1.0.2', port: 80 }] } });
  feed.gone('b');
  await clock.advance(20);
  expect(web.heard()).toEqual([]);
  expect(hub.subscriptions).toBe(1);
  expect(hub.topics.size).toBe(1);
});

test('an object that cannot be read counts as gone, and nothing else is harmed', async () => {
  feed.pod('a', '10.1.0.1');
  feed.pod('b', '10.1.0.2');
  await clock.advance(20);
  const web = new Sidecar().start().ask('10.1.0.1').ask('10.1.0.2');
  await clock.advance(20);
  web.heard();
  feed.put('pods', 'a', { spec: null });
  await clock.advance(20);
  expect(web.heard()).toEqual(['10.1.0.1 unknown']);
});

test('says nothing before all objects were listed once', async () => {
  feed = new Feed();
  feed.holds = true;
  const cluster = new Cluster({ api: feed, clusterNetworks: [], clock, log: silentLog, random: () => 0 });
  hub = new Hub({ cluster, trustDomain: 'mesh.test', clock, log: silentLog });
  hub.run(scope);
  cluster.run(scope);
  const web = new Sidecar().start().ask('10.1.0.1').renew(1);
  await clock.advance(2_000);
  expect(web.heard()).toEqual([]);
  feed.release();
  await clock.advance(1_000);
  expect(web.heard()).toEqual(['networks', '10.1.0.1 unknown', 'renewed 1 for 10000']);
});

describe('a lease', () => {
  test('comes after everything that it covers', async () => {
    feed.pod('a', '10.1.0.1');
    await clock.advance(20);
    const web = new Sidecar().start().renew(1);
    web.ask('10.1.0.1').renew(2);
    await clock.advance(20);
    expect(web.heard()).toEqual([
      'networks',
      'renewed 1 for 10000',
      '10.1.0.1 meshed',
      'renewed 2 for 10000',
    ]);
  });

  test('is not given while a watch is not fresh, and lists do not come either', async () => {
    const web = new Sidecar().start();
    feed.holds = true;
    for (let second = 0; second < 61; second += 1) {
      await clock.advance(1_000);
      if (second % 10 === 0) web.renew(second);
    }
    web.heard();
    web.renew(100);
    expect(web.heard()).toEqual(['renewed 100 for 0']);
    feed.holds = false;
    feed.release();
    await clock.advance(20);
    web.renew(101);
    expect(web.heard()).toEqual(['renewed 101 for 10000']);
  });
});

describe('after connecting again', () => {
  test('what has not changed is not told again', async () => {
    feed.pod('a', '10.1.0.1');
    await clock.advance(20);
    const first = new Sidecar().start().ask('10.1.0.1');
    await clock.advance(20);
    const version = first.said.find(({ answer }) => answer)?.answer?.version ?? '';
    expect(version).toMatch(/^[0-9a-f]{16}$/);
    const again = new Sidecar().start().ask('10.1.0.1', version).ask('10.1.0.2', version);
    await clock.advance(20);
    expect(again.heard()).toEqual(['networks', '10.1.0.1 unchanged', '10.1.0.2 unknown']);
  });

  test('to a replica that is behind, it waits until that has caught up', async () => {
    const web = new Sidecar()
      .start(feed.version + 1)
      .ask('10.1.0.1')
      .renew(1);
    await clock.advance(5_000);
    expect(web.heard()).toEqual([]);
    feed.pod('a', '10.1.0.1');
    await clock.advance(1_020);
    expect(web.heard()).toEqual(['networks', '10.1.0.1 meshed', 'renewed 1 for 10000']);
  });

  test('to a cluster whose numbers began anew, it waits for no longer than a watch counts as fresh', async () => {
    const web = new Sidecar().start(1_000_000).ask('10.1.0.1');
    for (let second = 0; second < 59; second += 1) {
      feed.bookmark();
      web.renew(second);
      await clock.advance(1_000);
    }
    expect(web.heard()).toEqual([]);
    await clock.advance(2_000);
    expect(web.heard()).toEqual(['networks', '10.1.0.1 unknown', 'renewed 58 for 10000']);
  });
});

describe('a sidecar that', () => {
  test('does not read gets the newest of each, and no more than it asked for', async () => {
    const web = new Sidecar().start().ask('10.1.0.1').ask('10.1.0.2');
    await clock.advance(20);
    web.heard();
    web.reads = false;
    feed.pod('a', '10.1.0.1');
    await clock.advance(20);
    expect(web.heard()).toEqual(['10.1.0.1 meshed']);
    for (let change = 0; change < 50; change += 1) {
      feed.pod('a', '10.1.0.1', change % 2 === 0);
      feed.pod('b', '10.1.0.2', change % 2 === 1);
      await clock.advance(20);
    }
    expect(web.heard()).toEqual([]);
    web.reads = true;
    web.session.drained();
    expect(web.heard().sort()).toEqual(['10.1.0.1 unmeshed', '10.1.0.2 meshed']);
  });

  test('does not read for too long is cut, and what it asked for is forgotten', async () => {
    const web = new Sidecar().start().ask('10.1.0.1');
    await clock.advance(20);
    web.reads = false;
    web.renew(1);
    await clock.advance(SERVE_LIMITS.blockedMilliseconds + SERVE_LIMITS.sweepMilliseconds);
    expect(web.ended?.reason.code).toBe('discovery-slow');
    expect([hub.sessions, hub.subscriptions, hub.topics.size]).toEqual([0, 0, 0]);
  });

  test('asks for no lease is cut', async () => {
    const web = new Sidecar().start();
    await clock.advance(SERVE_LIMITS.silentMilliseconds + SERVE_LIMITS.sweepMilliseconds);
    expect(web.ended?.reason.code).toBe('discovery-silent');
  });

  test('asks for too much is cut', () => {
    const web = new Sidecar().start();
    for (const last of [1, 2, 3, 3]) web.ask(`10.1.0.${last}`);
    expect(web.ended).toBeUndefined();
    web.ask('10.1.0.4');
    expect(web.ended?.reason.code).toBe('discovery-too-many-subscriptions');
    expect(hub.topics.size).toBe(0);
  });

  test.each([
    ['asks before it starts', (web: Sidecar) => web.ask('10.1.0.1')],
    ['starts twice', (web: Sidecar) => web.start().start()],
    ['says nothing', (web: Sidecar) => web.start().send({})],
    ['asks for no address', (web: Sidecar) => web.start().ask('orders.shop')],
    ['asks for an address in other spelling', (web: Sidecar) => web.start().ask('FD00::1')],
    ['asks for a port beyond the last', (web: Sidecar) => web.start().ask('10.1.0.1', '', 65_536)],
    [
      'asks for nothing',
      (web: Sidecar) => web.start().send({ subscribe: { keys: [{ key: null, version: '' }] } }),
    ],
  ])('%s is cut', (_, act) => {
    expect(act(new Sidecar()).ended?.reason.code).toBe('discovery-malformed');
  });
});

describe('what one stream or one owner of Services may cause', () => {
  test('a stream that asks faster than anybody calls is cut; one that waits is not', async () => {
    const web = new Sidecar().start();
    const keys = Array.from({ length: SERVE_LIMITS.requests - 1 }, () => ({ address: '10.1.0.1', port: 80 }));
    web.send({ unsubscribe: { keys } });
    expect(web.ended).toBeUndefined();
    web.renew(1);
    expect(web.ended?.reason.code).toBe('discovery-too-many-requests');
    const other = new Sidecar().start();
    other.send({ unsubscribe: { keys } });
    await clock.advance(1_000);
    for (let count = 0; count < SERVE_LIMITS.requestsPerSecond; count += 1) other.renew(count);
    expect(other.ended).toBeUndefined();
  });

  describe('attack: huge Services, asked for port by port,', () => {
    const MOST = 25;
    const HUGE = '10.1.9.9';

    beforeEach(() => {
      const limits = { endpoints: MOST };
      hub = new Hub({ cluster: hub.cluster, trustDomain: 'mesh.test', clock, log: silentLog, limits });
      hub.run(scope);
    });

    /** A Service with ten ports and so many endpoints at each. */
    async function huge(endpoints: number): Promise<void> {
      const ports = Array.from({ length: 10 }, (_, index) => ({ name: `p${index}`, port: 80 + index }));
      const pods = Array.from({ length: endpoints }, (_, index) => ({
        name: `pod-${index}`,
        ip: `10.1.0.${index}`,
      }));
      for (const { name, ip } of pods) feed.pod(name, ip);
      feed.put('services', 'huge', { spec: { clusterIPs: [HUGE], ports } });
      const labels = { 'kubernetes.io/service-name': 'huge' };
      feed.put('endpointslices', 'huge-1', {
        metadata: { name: 'huge-1', namespace: 'shop', resourceVersion: '9', labels },
        addressType: 'IPv4',
        ports: ports.map(({ name }, index) => ({ name, port: 8080 + index, protocol: 'TCP' })),
        endpoints: pods.map(({ name, ip }) => ({
          addresses: [ip],
          conditions: { ready: true, serving: true, terminating: false },
          targetRef: { kind: 'Pod', name, namespace: 'shop', uid: `uid-${name}` },
        })),
      });
      await clock.advance(200);
    }

    test('are kept up to a number of endpoints, which other Services give back', async () => {
      await huge(10);
      const web = new Sidecar().start().ask(HUGE, '', 80).ask(HUGE, '', 81).ask(HUGE, '', 81);
      await clock.advance(20);
      expect(web.said.map(({ answer }) => answer?.service?.endpoints?.length ?? 0)).toEqual([0, 10, 10, 10]);
      web.send({ unsubscribe: { keys: [{ address: HUGE, port: 81 }] } }).ask(HUGE, '', 82);
      expect(web.ended).toBeUndefined();
      web.ask(HUGE, '', 83);
      expect(web.ended?.reason.code).toBe('discovery-too-many-endpoints');
      expect(web.ended?.detail).toContain('30 by web; at most 25');
      expect(hub.topics.size).toBe(0);
    });

    test('end the stream within one request, before the next is worked out', async () => {
      await huge(10);
      const web = new Sidecar().start();
      const keys = Array.from({ length: 10 }, (_, index) => ({
        key: { address: HUGE, port: 80 + index },
        version: '',
      }));
      web.send({ subscribe: { keys } });
      expect(web.ended?.detail).toContain('30 by web');
      expect(hub.topics.size).toBe(0);
    });

    test('by many streams together: who asks for little goes on', async () => {
      await huge(10);
      const limits = { endpoints: MOST, endpointsOverall: 40, endpointsThen: 10 };
      hub = new Hub({ cluster: hub.cluster, trustDomain: 'mesh.test', clock, log: silentLog, limits });
      hub.run(scope);
      const [one, two] = [new Sidecar().start(), new Sidecar().start()];
      one.ask(HUGE, '', 80).ask(HUGE, '', 81);
      two.ask(HUGE, '', 82).ask(HUGE, '', 83);
      // The same again costs nothing.
      const same = new Sidecar().start().ask(HUGE, '', 80).ask(HUGE, '', 81);
      const modest = new Sidecar().start().ask(HUGE, '', 84);
      expect([one, two, same, modest].map(({ ended }) => ended)).toEqual(Array(4).fill(undefined));
      const greedy = new Sidecar().start().ask(HUGE, '', 80).ask(HUGE, '', 85);
      expect(greedy.ended?.detail).toContain('20 by web; at most 10');
      expect(hub.topics.endpoints).toBe(50);
      for (const { session } of [one, two, same, modest]) session.close();
      expect(hub.topics.endpoints).toBe(0);
    });

    test('that grow while they are asked for end the stream too, and no other one', async () => {
      await huge(12);
      const web = new Sidecar().start().ask(HUGE, '', 80).ask(HUGE, '', 81);
      const other = new Sidecar().start().ask(HUGE, '', 80);
      await clock.advance(20);
      expect(web.ended).toBeUndefined();
      await huge(13);
      expect(web.ended?.reason.code).toBe('discovery-too-many-endpoints');
      expect(other.ended).toBeUndefined();
      expect(other.said.at(-1)?.answer?.service?.endpoints).toHaveLength(13);
    });
  });

  test('new networks are told at once, and then as slowly as telling them to all must be', async () => {
    const limits = { networkBytesPerMillisecond: 0.01 };
    const parts = { clock, log: silentLog, cluster: hub.cluster, trustDomain: 'mesh.test', limits };
    hub = new Hub(parts);
    hub.run(scope);
    const web = new Sidecar().start();
    await clock.advance(20);
    expect(web.heard()).toEqual(['networks']);
    feed.put('services', 'a', { spec: { clusterIPs: ['10.1.9.1'], externalIPs: ['203.0.113.1'] } });
    await clock.advance(20);
    expect(web.heard()).toEqual([]);
    for (let index = 2; index < 20; index += 1) {
      feed.put('services', 'a', { spec: { externalIPs: [`203.0.113.${index}`] } });
      await clock.advance(10);
    }
    await clock.advance(2_000);
    expect(web.heard()).toEqual(['networks']);
    expect(hub.networks.response.networks?.networks).toEqual(['10.1.0.0/16', '203.0.113.19/32']);
  });
});

test('when the controller stops, streams end with the reason', async () => {
  const web = new Sidecar().start();
  await scope.close();
  expect(web.ended?.reason.code).toBe('discovery-ends');
});

/** Lists nothing, then watches what the test says. */
class Feed implements ApiObjects {
  version = 1;
  holds = false;
  #released: (() => void)[] = [];
  readonly #open = new Map<string, { readonly queue: ApiEvent[]; wake: () => void }>();

  async list(_path: string, _query: object, signal: AbortSignal) {
    if (this.holds) {
      await new Promise<void>((resolve) => {
        this.#released.push(resolve);
        signal.addEventListener('abort', () => resolve());
      });
    }
    return { items: [], resourceVersion: '1', next: undefined };
  }

  async *watch(path: string, _query: object, signal: AbortSignal): AsyncGenerator<ApiEvent> {
    const queue: ApiEvent[] = [];
    const open = { queue, wake: () => {} };
    this.#open.set(path, open);
    while (!signal.aborted) {
      yield* queue.splice(0);
      await new Promise<void>((resolve) => {
        open.wake = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
        if (queue.length > 0) resolve();
      });
    }
    throw signal.reason;
  }

  release(): void {
    for (const resolve of this.#released.splice(0)) resolve();
  }

  bookmark(): void {
    const object: ApiObject = { metadata: { name: '', resourceVersion: String(this.version) } };
    for (const kind of Object.keys(PATHS)) this.#send(kind as ObjectKind, { type: 'BOOKMARK', object });
  }

  put(kind: ObjectKind, name: string, rest: object): void {
    this.version += 1;
    const metadata = { name, namespace: 'shop', resourceVersion: String(this.version) };
    this.#send(kind, { type: 'MODIFIED', object: { metadata, ...rest } });
  }

  pod(name: string, ip: string, meshed = true): void {
    this.version += 1;
    const containers = meshed ? [{ name: 'sallyport', args: ['sidecar'] }] : [];
    const metadata = { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion: String(this.version) };
    const object = { metadata, spec: { serviceAccountName: name, containers }, status: { podIPs: [{ ip }] } };
    this.#send('pods', { type: 'MODIFIED', object });
  }

  gone(name: string): void {
    this.version += 1;
    const metadata = { name, namespace: 'shop', resourceVersion: String(this.version) };
    this.#send('pods', { type: 'DELETED', object: { metadata } });
  }

  #send(kind: ObjectKind, event: ApiEvent): void {
    const open = this.#open.get(PATHS[kind]);
    open?.queue.push(event);
    open?.wake();
  }
}
