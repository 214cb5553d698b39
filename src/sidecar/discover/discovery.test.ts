import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { meshed, ORDERS, POD, STATUS, service, TestDiscovery, unmeshed } from './testing.ts';

const OTHER = 'spiffe://mesh.test/ns/shop/sa/other';

let rig: TestDiscovery;

beforeEach(() => {
  rig = new TestDiscovery();
});
afterEach(() => rig.end());

describe('an address of the cluster', () => {
  test('is asked for once, and the answer is kept', async () => {
    await rig.know(meshed(ORDERS));
    expect(await rig.call()).toMatchObject({ kind: 'meshed', address: POD, port: 80 });
    expect(rig.controller.asked).toEqual(['10.1.0.1 80']);
    expect(rig.discovery.serviceAt(POD)).toBe('orders.shop');
    expect(rig.discovery.serviceAt({ ...POD, port: 81 })).toBeUndefined();
  });

  test('that nobody answers for is held for a second, then refused', async () => {
    rig.controller.networks('10.0.0.0/8');
    const called = rig.call();
    let done = false;
    void called.then(() => {
      done = true;
    });
    await rig.clock.advance(999);
    expect(done).toBe(false);
    await rig.clock.advance(1);
    expect(await called).toBe('destination-unknown');
  });

  test('that is not known is held until it is', async () => {
    rig.controller.networks('10.0.0.0/8');
    const called = rig.call();
    await rig.clock.advance(100);
    rig.controller.answer('10.1.0.1', 80, { unknown: {} });
    await rig.clock.advance(500);
    rig.controller.answer('10.1.0.1', 80, meshed(ORDERS));
    await rig.clock.advance(0);
    expect(await called).toMatchObject({ kind: 'meshed' });
  });

  test('is refused while nothing is known of the networks, be it what it may', async () => {
    const called = rig.call({ host: '192.0.2.1', port: 443 });
    await rig.clock.advance(1_000);
    expect(await called).toBe('destination-unknown');
    rig.controller.networks('10.0.0.0/8');
    expect(await rig.call({ host: '192.0.2.1', port: 443 })).toMatchObject({ kind: 'egress' });
  });

  test('that is our own is ourselves, before anybody is asked', async () => {
    expect(await rig.call(POD, { isOwn: () => true })).toEqual({ kind: 'self', address: POD });
    expect(rig.controller.asked).toEqual([]);
  });

  test('the status port of a sidecar is plaintext', async () => {
    const at = { ...POD, port: STATUS };
    await rig.know(meshed(ORDERS), at);
    expect(await rig.call(at)).toMatchObject({ kind: 'unmeshed' });
  });

  test('spelled otherwise is the same address', async () => {
    await rig.know(meshed(ORDERS));
    expect(await rig.call({ host: '::ffff:10.1.0.1', port: 80 })).toMatchObject({ kind: 'meshed' });
    expect(await rig.call({ host: 'orders', port: 80 })).toEqual({ kind: 'unknown' });
  });

  test('a caller of ours may have a sidecar until it is known that it has none', async () => {
    rig.controller.networks('10.0.0.0/8');
    expect(rig.discovery.hasSidecar('10.1.0.1')).toBe(true);
    expect(rig.discovery.hasSidecar('192.0.2.1')).toBe(false);
    expect(rig.discovery.hasSidecar('orders')).toBe(false);
    rig.controller.answer('10.1.0.1', 0, unmeshed());
    expect(rig.discovery.hasSidecar('10.1.0.1')).toBe(false);
    rig.controller.answer('10.1.0.1', 0, meshed(ORDERS));
    expect(rig.discovery.hasSidecar('10.1.0.1')).toBe(true);
  });
});

describe('a Service', () => {
  test('is a set of endpoints, the same one until it changes', async () => {
    await rig.know(service(['10.1.0.2', 'meshed'], ['10.1.0.3', 'pod']));
    const first = await rig.call();
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
    const again = await rig.call();
    expect(again).toHaveProperty('endpoints', (first as { endpoints: unknown }).endpoints);
  });

  test('loses the endpoints that need a lease with the lease', async () => {
    await rig.know(service(['10.1.0.2', 'meshed'], ['10.1.0.3', 'pod'], ['192.0.2.1', 'host']));
    await rig.away(10_000);
    expect(await rig.call()).toMatchObject({
      endpoints: { endpoints: [{ kind: 'meshed' }, { kind: 'unmeshed' }] },
    });
  });

  test('with nobody else is refused then', async () => {
    await rig.know(service(['10.1.0.3', 'pod']));
    await rig.away(10_000);
    const called = rig.call();
    await rig.clock.advance(1_000);
    expect(await called).toBe('lease-lapsed');
  });
});

describe('when somebody else answered than expected', () => {
  test('the controller is asked anew, and its word is waited for', async () => {
    await rig.know(meshed(ORDERS));
    const called = rig.call(POD, { mistaken: true });
    await rig.clock.advance(100);
    expect(rig.controller.asked).toEqual(['10.1.0.1 80', '10.1.0.1 80 v']);
    rig.controller.answer('10.1.0.1', 80, meshed(OTHER), 'w');
    await rig.clock.advance(0);
    expect(JSON.stringify(await called)).toContain(OTHER);
  });

  test('and it says the same, or nothing, that is what is known', async () => {
    await rig.know(meshed(ORDERS));
    const same = rig.call(POD, { mistaken: true });
    await rig.clock.advance(10);
    rig.controller.answer('10.1.0.1', 80, { unchanged: {} });
    await rig.clock.advance(0);
    expect(await same).toMatchObject({ kind: 'meshed' });
    const silent = rig.call(POD, { mistaken: true });
    await rig.clock.advance(1_000);
    expect(await silent).toMatchObject({ kind: 'meshed' });
  });
});

test.each([
  ['an identity that is none', meshed('orders')],
  ['no identity', meshed()],
  ['a party that is none', { workload: { name: 'x', party: null } }],
  ['an endpoint that is no address', service(['orders', 'meshed'])],
])('an answer with %s is refused, and what was known before no longer holds', async (_, body) => {
  await rig.know(unmeshed());
  rig.controller.answer('10.1.0.1', 80, body, 'bad');
  expect(rig.controller.heard.at(-1)?.reject).toMatchObject({ version: 'bad' });
  const called = rig.call();
  await rig.clock.advance(1_000);
  expect(await called).toBe('destination-unknown');
});

test('networks that cannot be read leave those that were known', async () => {
  rig.controller.networks('10.0.0.0/8');
  rig.controller.networks('192.0.2.0/24', 'nonsense');
  expect(await rig.call({ host: '192.0.2.1', port: 443 })).toMatchObject({ kind: 'egress' });
  expect(rig.controller.heard.at(-1)?.reject?.detail).toContain('nonsense');
});

describe('no more is kept than is bounded', () => {
  test('what was called longest ago is forgotten, there too', async () => {
    for (const last of [1, 2, 3, 4]) await rig.know(meshed(ORDERS), { host: `10.1.0.${last}`, port: 80 });
    // Called again: now the second is the oldest.
    await rig.call();
    await rig.know(meshed(ORDERS), { host: '10.1.0.5', port: 80 });
    expect(rig.controller.heard.findLast(({ unsubscribe }) => unsubscribe)).toEqual({
      unsubscribe: { keys: [{ address: '10.1.0.2', port: 80 }] },
    });
    expect(rig.discovery.size).toBe(4);
  });

  test('when calls wait for all that may be known, others are refused at once', async () => {
    rig.controller.networks('10.0.0.0/8');
    const held = [1, 2, 3, 4].map((last) => rig.call({ host: `10.1.0.${last}`, port: 80 }));
    expect(await rig.call({ host: '10.1.0.5', port: 80 })).toBe('destination-unknown');
    expect(rig.discovery.hasSidecar('10.1.0.6')).toBe(true);
    await rig.clock.advance(1_000);
    expect(await Promise.all(held)).toEqual(held.map(() => 'destination-unknown'));
    // That of the lease.
    expect(rig.clock.pendingTimers).toBe(1);
  });
});
