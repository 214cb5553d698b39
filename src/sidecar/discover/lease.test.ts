import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { meshed, ORDERS, TestDiscovery, unmeshed } from './testing.ts';

let rig: TestDiscovery;

beforeEach(() => {
  rig = new TestDiscovery();
});
afterEach(() => rig.end());

describe('when the controller is away', () => {
  test('what is meshed stays as it was', async () => {
    await rig.know(meshed(ORDERS));
    await rig.away(600_000);
    expect(await rig.call()).toMatchObject({ kind: 'meshed' });
  });

  test('a pod without a sidecar is called until the lease ends, then refused', async () => {
    await rig.know(unmeshed());
    await rig.clock.advance(3_300);
    await rig.away(9_990);
    expect(await rig.call()).toMatchObject({ kind: 'unmeshed' });
    await rig.clock.advance(10);
    const called = rig.call();
    await rig.clock.advance(1_000);
    expect(await called).toBe('lease-lapsed');
  });

  test('the API server or a load balancer is called on: its address is nobody else’s', async () => {
    await rig.know(unmeshed(false));
    await rig.away(60_000);
    expect(await rig.call()).toMatchObject({ kind: 'unmeshed' });
  });

  test('an address that is not known is refused', async () => {
    await rig.know(meshed(ORDERS));
    await rig.away(60_000);
    const called = rig.call({ host: '10.1.0.9', port: 80 });
    await rig.clock.advance(1_000);
    expect(await called).toBe('destination-unknown');
  });

  test('a call that is held when the lease comes back goes on', async () => {
    await rig.know(unmeshed());
    await rig.away(20_000);
    const called = rig.call();
    await rig.clock.advance(500);
    rig.controller.renewed(rig.controller.heard.findLast(({ renew }) => renew)?.renew?.sequence as number);
    await rig.clock.advance(0);
    expect(await called).toMatchObject({ kind: 'unmeshed' });
  });
});

describe('a lease', () => {
  test('counts from when it was asked for, however late it comes', async () => {
    rig.speechless = true;
    rig.start();
    rig.controller.networks('10.0.0.0/8');
    const first = rig.call();
    rig.controller.answer('10.1.0.1', 80, unmeshed());
    await rig.clock.advance(1_000);
    expect(await first).toBe('lease-lapsed');
    // Asked for at 0; it comes 8 s later, and is good for 2 s.
    await rig.clock.advance(7_000);
    rig.controller.renewed(1);
    expect(await rig.call()).toMatchObject({ kind: 'unmeshed' });
    await rig.clock.advance(2_000);
    const called = rig.call();
    await rig.clock.advance(1_000);
    expect(await called).toBe('lease-lapsed');
  });

  test('of 0 is none: the controller itself has heard nothing new', async () => {
    await rig.know(unmeshed());
    rig.controller.leaseMilliseconds = 0;
    await rig.clock.advance(13_300);
    const called = rig.call();
    await rig.clock.advance(1_000);
    expect(await called).toBe('lease-lapsed');
    expect(rig.controllers).toHaveLength(1);
    expect(rig.discovery.ageMilliseconds).toBeGreaterThan(13_000);
  });

  test('that was not asked for is none', async () => {
    rig.speechless = true;
    rig.start();
    rig.controller.networks('10.0.0.0/8');
    const first = rig.call();
    rig.controller.answer('10.1.0.1', 80, unmeshed());
    await rig.clock.advance(1_000);
    expect(await first).toBe('lease-lapsed');
    rig.controller.renewed(99);
    const called = rig.call();
    await rig.clock.advance(1_000);
    expect(await called).toBe('lease-lapsed');
  });
});

describe('after connecting again', () => {
  test('all is asked for again by its version, and so is how far the last controller was', async () => {
    await rig.know(meshed(ORDERS));
    rig.controller.break();
    await rig.clock.advance(200);
    expect(rig.controllers).toHaveLength(2);
    expect(rig.controllers[0]?.closed).toBe(true);
    expect(rig.controller.heard.slice(0, 3)).toEqual([
      {
        start: { seen: { pods: 7, services: 0, endpointslices: 0, nodes: 0, meshpolicies: 0, meshtlses: 0 } },
      },
      { subscribe: { keys: [{ key: { address: '10.1.0.1', port: 80 }, version: 'v' }] } },
      { renew: { sequence: 2 } },
    ]);
    rig.controller.answer('10.1.0.1', 80, { unchanged: {} }, 'v');
    expect(await rig.call()).toMatchObject({ kind: 'meshed' });
  });

  test('what a closed stream still says is not heard', async () => {
    await rig.know(meshed(ORDERS));
    const old = rig.controller;
    old.break();
    await rig.clock.advance(200);
    old.answer('10.1.0.1', 80, unmeshed());
    expect(await rig.call()).toMatchObject({ kind: 'meshed' });
  });

  test('a stream without leases is given up, and those that fail are asked for ever more rarely', async () => {
    rig.controller.answersRenew = false;
    await rig.clock.advance(13_400);
    expect(rig.controllers).toHaveLength(2);
    const push = rig.controllers.push.bind(rig.controllers);
    rig.controllers.push = (each) => {
      queueMicrotask(() => each.break());
      return push(each);
    };
    rig.controller.break();
    await rig.clock.advance(60_000);
    expect(rig.controllers.length).toBeGreaterThan(8);
    expect(rig.controllers.length).toBeLessThan(25);
  });
});
