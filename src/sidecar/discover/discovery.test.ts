import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TlsError } from '#handshake';
import { Scope, silentLog } from '#runtime';
import { FakeClock } from '#runtime/testing';
import { type DiscoveryRequest, RPC_REASONS } from '#rpc';
import type { Destination } from '../config.ts';
import { Discovery } from './discovery.ts';
import type { DiscoveryStream, OpenDiscovery } from './subscription.ts';

const STATUS = 15_020;
const ORDERS = 'spiffe://mesh.test/ns/shop/sa/orders';
const OTHER = 'spiffe://mesh.test/ns/shop/sa/other';
const POD = { host: '10.1.0.1', port: 80 };

let clock: FakeClock;
let scope: Scope;
let controllers: Controller[];
let discovery: Discovery;
/** Streams that are opened from now on get no lease. */
let speechless: boolean;
const failures: unknown[] = [];

type On = Parameters<OpenDiscovery>[0];
type Said = Parameters<On['response']>[0];
type AnswerBody = Omit<NonNullable<Said['answer']>, 'key' | 'version' | 'answer'>;

/** The other end of one stream. */
class Controller implements DiscoveryStream {
  readonly heard: DiscoveryRequest[] = [];
  readonly on: On;
  closed = false;
  answersRenew = !speechless;
  leaseMilliseconds = 10_000;

  constructor(on: On) {
    this.on = on;
  }

  send(request: DiscoveryRequest): void {
    this.heard.push(request);
    const sequence = Number(request.renew?.sequence ?? 0);
    if (request.renew && this.answersRenew) queueMicrotask(() => this.renewed(sequence));
  }

  renewed(sequence: number, pods = 7): void {
    const position = { pods, services: 0, endpointslices: 0, nodes: 0 };
    this.on.response({
      response: 'renewed',
      renewed: { sequence, leaseMilliseconds: this.leaseMilliseconds, position },
    });
  }

  close(): void {
    this.closed = true;
  }

  networks(...networks: string[]): void {
    this.on.response({ response: 'networks', networks: { networks } });
  }

  answer(address: string, port: number, body: AnswerBody, version = 'v'): void {
    const [kind] = Object.keys(body) as [NonNullable<Said['answer']>['answer'] & string];
    this.on.response({
      response: 'answer',
      answer: { key: { address, port }, version, ...body, answer: kind },
    });
  }

  /** `address port version` of everything that was asked for. */
  get asked(): string[] {
    return this.heard.flatMap(({ subscribe }) =>
      (subscribe?.keys ?? []).map(({ key, version }) => `${key?.address} ${key?.port} ${version}`.trim()),
    );
  }

  break(): void {
    this.on.ended({ reason: RPC_REASONS['rpc-unavailable'], detail: '' });
  }
}

beforeEach(() => {
  clock = new FakeClock();
  controllers = [];
  speechless = false;
  scope = new Scope('test', (error) => failures.push(error));
  discovery = start();
});
afterEach(async () => {
  await scope.close();
  expect(failures.splice(0)).toEqual([]);
});

function start(addresses = 4): Discovery {
  const made = new Discovery({
    open: (on) => {
      const controller = new Controller(on);
      controllers.push(controller);
      return controller;
    },
    statusPort: STATUS,
    clock,
    log: silentLog,
    random: () => 0,
    limits: { addresses },
  });
  made.run(scope);
  return made;
}

function controller(): Controller {
  return controllers.at(-1)!;
}

function call(
  { host, port } = POD,
  { mistaken = false, isOwn = () => false }: { mistaken?: boolean; isOwn?: (host: string) => boolean } = {},
): Promise<Destination | string> {
  return discovery.destinationOf({ host, port }, isOwn, mistaken).catch((error: unknown) => {
    if (error instanceof TlsError) return error.reason.code;
    throw error;
  });
}

function meshed(...identities: string[]): AnswerBody {
  return { workload: { name: 'orders.shop', party: { party: 'meshed', meshed: { identities } } } };
}

function unmeshed(pod = true): AnswerBody {
  return { workload: { name: 'orders.shop', party: { party: 'unmeshed', unmeshed: { pod } } } };
}

function service(...endpoints: [address: string, who: 'meshed' | 'pod' | 'host'][]): AnswerBody {
  return {
    service: {
      name: 'orders.shop',
      affinityMilliseconds: 0,
      local: false,
      trafficDistribution: '',
      endpoints: endpoints.map(([address, who]) => ({
        address,
        port: 8080,
        node: 'n1',
        zone: '',
        terminating: false,
        party:
          who === 'meshed'
            ? { party: 'meshed', meshed: { identities: [ORDERS] } }
            : { party: 'unmeshed', unmeshed: { pod: who === 'pod' } },
      })),
    },
  };
}

/** What is called stays called, so that its answers matter. */
async function know(body: AnswerBody, at = POD): Promise<void> {
  controller().networks('10.0.0.0/8');
  const called = call(at);
  await clock.advance(0);
  controller().answer(at.host, at.port, body);
  await clock.advance(0);
  await called;
}

/** The stream breaks, and those that are opened then get no lease. */
async function away(milliseconds: number): Promise<void> {
  speechless = true;
  controller().break();
  await clock.advance(milliseconds);
}

describe('an address of the cluster', () => {
  test('is asked for once, and the answer is kept', async () => {
    await know(meshed(ORDERS));
    expect(await call()).toMatchObject({ kind: 'meshed', address: POD, port: 80 });
    expect(controller().asked).toEqual(['10.1.0.1 80']);
    expect(discovery.serviceAt(POD)).toBe('orders.shop');
    expect(discovery.serviceAt({ ...POD, port: 81 })).toBeUndefined();
  });

  test('that nobody answers for is held for a second, then refused', async () => {
    controller().networks('10.0.0.0/8');
    const called = call();
    let done = false;
    void called.then(() => {
      done = true;
    });
    await clock.advance(999);
    expect(done).toBe(false);
    await clock.advance(1);
    expect(await called).toBe('destination-unknown');
  });

  test('that is not known is held until it is', async () => {
    controller().networks('10.0.0.0/8');
    const called = call();
    await clock.advance(100);
    controller().answer('10.1.0.1', 80, { unknown: {} });
    await clock.advance(500);
    controller().answer('10.1.0.1', 80, meshed(ORDERS));
    await clock.advance(0);
    expect(await called).toMatchObject({ kind: 'meshed' });
  });

  test('is refused while nothing is known of the networks, be it what it may', async () => {
    const called = call({ host: '192.0.2.1', port: 443 });
    await clock.advance(1_000);
    expect(await called).toBe('destination-unknown');
    controller().networks('10.0.0.0/8');
    expect(await call({ host: '192.0.2.1', port: 443 })).toMatchObject({ kind: 'egress' });
  });

  test('that is our own is ourselves, before anybody is asked', async () => {
    expect(await call(POD, { isOwn: () => true })).toEqual({ kind: 'self', address: POD });
    expect(controller().asked).toEqual([]);
  });

  test('the status port of a sidecar is plaintext', async () => {
    const at = { ...POD, port: STATUS };
    await know(meshed(ORDERS), at);
    expect(await call(at)).toMatchObject({ kind: 'unmeshed' });
  });

  test('spelled otherwise is the same address', async () => {
    await know(meshed(ORDERS));
    expect(await call({ host: '::ffff:10.1.0.1', port: 80 })).toMatchObject({ kind: 'meshed' });
    expect(await call({ host: 'orders', port: 80 })).toEqual({ kind: 'unknown' });
  });

  test('a caller of ours may have a sidecar until it is known that it has none', async () => {
    controller().networks('10.0.0.0/8');
    expect(discovery.hasSidecar('10.1.0.1')).toBe(true);
    expect(discovery.hasSidecar('192.0.2.1')).toBe(false);
    expect(discovery.hasSidecar('orders')).toBe(false);
    controller().answer('10.1.0.1', 0, unmeshed());
    expect(discovery.hasSidecar('10.1.0.1')).toBe(false);
    controller().answer('10.1.0.1', 0, meshed(ORDERS));
    expect(discovery.hasSidecar('10.1.0.1')).toBe(true);
  });
});

describe('a Service', () => {
  test('is a set of endpoints, the same one until it changes', async () => {
    await know(service(['10.1.0.2', 'meshed'], ['10.1.0.3', 'pod']));
    const first = await call();
    expect(first).toMatchObject({
      kind: 'service',
      endpoints: {
        service: 'orders.shop:80',
        endpoints: [
          { kind: 'meshed', address: { host: '10.1.0.2', port: 8080 }, port: 8080, node: 'n1' },
          { kind: 'unmeshed', address: { host: '10.1.0.3', port: 8080 } },
        ],
      },
    });
    const again = await call();
    expect(again).toHaveProperty('endpoints', (first as { endpoints: unknown }).endpoints);
  });

  test('loses the endpoints that need a lease with the lease', async () => {
    await know(service(['10.1.0.2', 'meshed'], ['10.1.0.3', 'pod'], ['192.0.2.1', 'host']));
    await away(10_000);
    expect(await call()).toMatchObject({
      endpoints: { endpoints: [{ kind: 'meshed' }, { kind: 'unmeshed' }] },
    });
  });

  test('with nobody else is refused then', async () => {
    await know(service(['10.1.0.3', 'pod']));
    await away(10_000);
    const called = call();
    await clock.advance(1_000);
    expect(await called).toBe('lease-lapsed');
  });
});

describe('when the controller is away', () => {
  test('what is meshed stays as it was', async () => {
    await know(meshed(ORDERS));
    await away(600_000);
    expect(await call()).toMatchObject({ kind: 'meshed' });
  });

  test('a pod without a sidecar is called until the lease ends, then refused', async () => {
    await know(unmeshed());
    await clock.advance(3_300);
    await away(9_990);
    expect(await call()).toMatchObject({ kind: 'unmeshed' });
    await clock.advance(10);
    const called = call();
    await clock.advance(1_000);
    expect(await called).toBe('lease-lapsed');
  });

  test('the API server or a load balancer is called on: its address is nobody else’s', async () => {
    await know(unmeshed(false));
    await away(60_000);
    expect(await call()).toMatchObject({ kind: 'unmeshed' });
  });

  test('an address that is not known is refused', async () => {
    await know(meshed(ORDERS));
    await away(60_000);
    const called = call({ host: '10.1.0.9', port: 80 });
    await clock.advance(1_000);
    expect(await called).toBe('destination-unknown');
  });

  test('a call that is held when the lease comes back goes on', async () => {
    await know(unmeshed());
    await away(20_000);
    const called = call();
    await clock.advance(500);
    controller().renewed(controller().heard.findLast(({ renew }) => renew)?.renew?.sequence as number);
    await clock.advance(0);
    expect(await called).toMatchObject({ kind: 'unmeshed' });
  });
});

describe('a lease', () => {
  test('counts from when it was asked for, however late it comes', async () => {
    speechless = true;
    discovery = start();
    controller().networks('10.0.0.0/8');
    const first = call();
    controller().answer('10.1.0.1', 80, unmeshed());
    await clock.advance(1_000);
    expect(await first).toBe('lease-lapsed');
    // Asked for at 0; it comes 8 s later, and is good for 2 s.
    await clock.advance(7_000);
    controller().renewed(1);
    expect(await call()).toMatchObject({ kind: 'unmeshed' });
    await clock.advance(2_000);
    const called = call();
    await clock.advance(1_000);
    expect(await called).toBe('lease-lapsed');
  });

  test('of 0 is none: the controller itself has heard nothing new', async () => {
    await know(unmeshed());
    controller().leaseMilliseconds = 0;
    await clock.advance(13_300);
    const called = call();
    await clock.advance(1_000);
    expect(await called).toBe('lease-lapsed');
    expect(controllers).toHaveLength(1);
    expect(discovery.ageMilliseconds).toBeGreaterThan(13_000);
  });

  test('that was not asked for is none', async () => {
    speechless = true;
    discovery = start();
    controller().networks('10.0.0.0/8');
    const first = call();
    controller().answer('10.1.0.1', 80, unmeshed());
    await clock.advance(1_000);
    expect(await first).toBe('lease-lapsed');
    controller().renewed(99);
    const called = call();
    await clock.advance(1_000);
    expect(await called).toBe('lease-lapsed');
  });
});

describe('after connecting again', () => {
  test('all is asked for again by its version, and so is how far the last controller was', async () => {
    await know(meshed(ORDERS));
    controller().break();
    await clock.advance(200);
    expect(controllers).toHaveLength(2);
    expect(controllers[0]?.closed).toBe(true);
    expect(controller().heard.slice(0, 3)).toEqual([
      { start: { seen: { pods: 7, services: 0, endpointslices: 0, nodes: 0 } } },
      { subscribe: { keys: [{ key: { address: '10.1.0.1', port: 80 }, version: 'v' }] } },
      { renew: { sequence: 2 } },
    ]);
    controller().answer('10.1.0.1', 80, { unchanged: {} }, 'v');
    expect(await call()).toMatchObject({ kind: 'meshed' });
  });

  test('what a closed stream still says is not heard', async () => {
    await know(meshed(ORDERS));
    const old = controller();
    old.break();
    await clock.advance(200);
    old.answer('10.1.0.1', 80, unmeshed());
    expect(await call()).toMatchObject({ kind: 'meshed' });
  });

  test('a stream without leases is given up, and those that fail are asked for ever more rarely', async () => {
    controller().answersRenew = false;
    await clock.advance(13_400);
    expect(controllers).toHaveLength(2);
    const push = controllers.push.bind(controllers);
    controllers.push = (each) => {
      queueMicrotask(() => each.break());
      return push(each);
    };
    controller().break();
    await clock.advance(60_000);
    expect(controllers.length).toBeGreaterThan(8);
    expect(controllers.length).toBeLessThan(25);
  });
});

describe('when somebody else answered than expected', () => {
  test('the controller is asked anew, and its word is waited for', async () => {
    await know(meshed(ORDERS));
    const called = call(POD, { mistaken: true });
    await clock.advance(100);
    expect(controller().asked).toEqual(['10.1.0.1 80', '10.1.0.1 80 v']);
    controller().answer('10.1.0.1', 80, meshed(OTHER), 'w');
    await clock.advance(0);
    expect(JSON.stringify(await called)).toContain(OTHER);
  });

  test('and it says the same, or nothing, that is what is known', async () => {
    await know(meshed(ORDERS));
    const same = call(POD, { mistaken: true });
    await clock.advance(10);
    controller().answer('10.1.0.1', 80, { unchanged: {} });
    await clock.advance(0);
    expect(await same).toMatchObject({ kind: 'meshed' });
    const silent = call(POD, { mistaken: true });
    await clock.advance(1_000);
    expect(await silent).toMatchObject({ kind: 'meshed' });
  });
});

test.each([
  ['an identity that is none', meshed('orders')],
  ['no identity', meshed()],
  ['a party that is none', { workload: { name: 'x', party: null } }],
  ['an endpoint that is no address', service(['orders', 'meshed'])],
])('an answer with %s is refused, and what was known before no longer holds', async (_, body) => {
  await know(unmeshed());
  controller().answer('10.1.0.1', 80, body, 'bad');
  expect(controller().heard.at(-1)?.reject).toMatchObject({ version: 'bad' });
  const called = call();
  await clock.advance(1_000);
  expect(await called).toBe('destination-unknown');
});

test('networks that cannot be read leave those that were known', async () => {
  controller().networks('10.0.0.0/8');
  controller().networks('192.0.2.0/24', 'nonsense');
  expect(await call({ host: '192.0.2.1', port: 443 })).toMatchObject({ kind: 'egress' });
  expect(controller().heard.at(-1)?.reject?.detail).toContain('nonsense');
});

describe('no more is kept than is bounded', () => {
  test('what was called longest ago is forgotten, there too', async () => {
    for (const last of [1, 2, 3, 4]) await know(meshed(ORDERS), { host: `10.1.0.${last}`, port: 80 });
    // Called again: now the second is the oldest.
    await call();
    await know(meshed(ORDERS), { host: '10.1.0.5', port: 80 });
    expect(controller().heard.findLast(({ unsubscribe }) => unsubscribe)).toEqual({
      unsubscribe: { keys: [{ address: '10.1.0.2', port: 80 }] },
    });
    expect(discovery.size).toBe(4);
  });

  test('when calls wait for all that may be known, others are refused at once', async () => {
    controller().networks('10.0.0.0/8');
    const held = [1, 2, 3, 4].map((last) => call({ host: `10.1.0.${last}`, port: 80 }));
    expect(await call({ host: '10.1.0.5', port: 80 })).toBe('destination-unknown');
    expect(discovery.hasSidecar('10.1.0.6')).toBe(true);
    await clock.advance(1_000);
    expect(await Promise.all(held)).toEqual(held.map(() => 'destination-unknown'));
    // That of the lease.
    expect(clock.pendingTimers).toBe(1);
  });
});
