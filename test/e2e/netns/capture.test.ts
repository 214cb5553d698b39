import { describe, expect, test, vi } from 'vitest';
import { needs } from '../../support/child.ts';
import { Network } from '../../support/netns.ts';
import { caller, FILTERS, init, listen, rulesOf } from './inside.ts';
import { STORY_MILLISECONDS } from './story.ts';

vi.setConfig({ testTimeout: STORY_MILLISECONDS });

const FAMILIES = ['ipv4', 'ipv6'] as const;
const LOOPBACK = { ipv4: '127.0.0.1', ipv6: '::1' } as const;
const SIDECAR = 1_337;
const APPLICATION = 1_000;

/** What a machine without rules says: no connection is tracked there, so none has an original destination. */
function direct(port: number): string {
  return `${port} was not-redirected`;
}

describe.each(FILTERS)('rules of %s', (filter) => {
  test('redirect both directions of both families and tell the original destination', async (context) => {
    needs(context, filter);
    const network = await Network.create(context, ['pod', 'outside']);
    const pod = network.machine('pod');
    const outside = network.machine('outside');
    const set = init(pod, ['--filter', filter]);
    expect(set, set.stderr).toMatchObject({ code: 0 });
    expect(set.stdout).toContain(`Capture is set up (${filter})`);
    expect(set.stdout).toContain('Proved by connections to 192.0.2.1:1 and [2001:db8::1]:1');

    // 80 would be the application: capture must take the connection before it.
    await Promise.all([listen(pod, 80, 8_080, 15_001, 15_006, 15_020), listen(outside, 80)]);
    const [fromOutside, asRoot, asApplication, asSidecar] = await Promise.all([
      caller(outside),
      caller(pod),
      caller(pod, APPLICATION),
      caller(pod, SIDECAR),
    ]);
    for (const family of FAMILIES) {
      const own = pod[family];
      const other = outside[family];
      expect(await fromOutside(own, 80)).toBe(`15006 was ${own} 80`);
      // Nobody listens there: the verification of inbound capture lives on that.
      expect(await fromOutside(own, 15_021)).toBe(`15006 was ${own} 15021`);
      expect(await fromOutside(own, 15_020)).toBe(`15020 was ${own} 15020`);

      expect(await asRoot(other, 80)).toBe(`15001 was ${other} 80`);
      expect(await asApplication(other, 80)).toBe(`15001 was ${other} 80`);
      expect(await asSidecar(other, 80)).toBe(direct(80));

      // The pod itself: its own address is captured, so that the sidecar can count it; loopback is not.
      expect(await asRoot(own, 80)).toBe(`15001 was ${own} 80`);
      expect(await asSidecar(own, 80)).toBe(`80 was ${own} 80`);
      expect(await asRoot(LOOPBACK[family], 8_080)).toBe(`8080 was ${LOOPBACK[family]} 8080`);

      // Dialled directly, our ports get a destination that is their own: the sidecar closes such connections.
      expect(await fromOutside(own, 15_006)).toBe(`15006 was ${own} 15006`);
      expect(await fromOutside(own, 15_001)).toBe(`15006 was ${own} 15001`);
    }
  });

  test('loaded twice are the same rules, and removed are gone', async (context) => {
    needs(context, filter);
    const network = await Network.create(context, ['pod', 'outside']);
    const pod = network.machine('pod');
    const outside = network.machine('outside');
    expect(init(pod, ['--filter', filter])).toMatchObject({ code: 0 });
    const once = rulesOf(pod, filter);
    expect(once.toLowerCase()).toContain('sallyport');
    expect(init(pod, ['--filter', filter])).toMatchObject({ code: 0 });
    expect(rulesOf(pod, filter)).toBe(once);

    expect(init(pod, ['--filter', filter, '--exclude-outbound-ports', '80'])).toMatchObject({ code: 0 });
    expect(rulesOf(pod, filter)).not.toBe(once);
    expect(init(pod, ['--filter', filter])).toMatchObject({ code: 0 });
    expect(rulesOf(pod, filter)).toBe(once);

    // Without naming the tool: it finds what is there.
    expect(init(pod, ['--remove'])).toMatchObject({ code: 0 });
    expect(rulesOf(pod, filter).toLowerCase()).not.toContain('sallyport');
    expect(init(pod, ['--remove'])).toMatchObject({ code: 0 });
    await listen(outside, 80);
    const call = await caller(pod);
    expect(await call(outside.ipv4, 80)).toBe(direct(80));
  });

  test('leave alone what is excluded', async (context) => {
    needs(context, filter);
    const network = await Network.create(context, ['pod', 'outside', 'far']);
    const [pod, outside, far] = [network.machine('pod'), network.machine('outside'), network.machine('far')];
    const set = init(pod, ['--filter', filter, '--exclude-inbound-ports', '81,90-99'], {
      environment: {
        SALLYPORT_EXCLUDE_OUTBOUND_PORTS: '82-85',
        SALLYPORT_EXCLUDE_OUTBOUND_NETWORKS: `${far.ipv4}/32, ${far.ipv6}/128`,
      },
    });
    expect(set, set.stderr).toMatchObject({ code: 0 });
    expect(set.stdout).toContain('the status port of the sidecar; excluded ports 81, 90-99.');
    expect(set.stdout).toContain(`networks ${far.ipv4}/32, ${far.ipv6}/128.`);
    await Promise.all([listen(pod, 80, 81, 95, 15_001, 15_006), listen(outside, 80, 83), listen(far, 80)]);
    const [fromOutside, fromPod] = await Promise.all([caller(outside), caller(pod)]);
    for (const family of FAMILIES) {
      const own = pod[family];
      expect(await fromOutside(own, 80)).toBe(`15006 was ${own} 80`);
      expect(await fromOutside(own, 81)).toBe(`81 was ${own} 81`);
      expect(await fromOutside(own, 95)).toBe(`95 was ${own} 95`);
      expect(await fromPod(outside[family], 80)).toBe(`15001 was ${outside[family]} 80`);
      expect(await fromPod(outside[family], 83)).toBe(direct(83));
      expect(await fromPod(far[family], 80)).toBe(direct(80));
    }
  });

  test('lead to the ports that flags name', async (context) => {
    needs(context, filter);
    const network = await Network.create(context, ['pod', 'outside']);
    const [pod, outside] = [network.machine('pod'), network.machine('outside')];
    const flags = [
      ...['--filter', filter, '--uid', '1338', '--inbound-port', '16006', '--outbound-port', '16001'],
      ...['--status-port', '16020', '--verification-port', '16021'],
    ];
    const set = init(pod, flags);
    expect(set, set.stderr).toMatchObject({ code: 0 });
    await Promise.all([listen(pod, 80, 15_020, 16_001, 16_006, 16_020), listen(outside, 80)]);
    const [fromOutside, fromPod, asSidecar] = await Promise.all([
      caller(outside),
      caller(pod),
      caller(pod, 1_338),
    ]);
    for (const family of FAMILIES) {
      const own = pod[family];
      expect(await fromOutside(own, 80)).toBe(`16006 was ${own} 80`);
      expect(await fromOutside(own, 16_020)).toBe(`16020 was ${own} 16020`);
      expect(await fromOutside(own, 15_020)).toBe(`16006 was ${own} 15020`);
      expect(await fromPod(outside[family], 80)).toBe(`16001 was ${outside[family]} 80`);
      expect(await asSidecar(outside[family], 80)).toBe(direct(80));
    }
  });

  test('capture the verification port that a flag names, whatever is included', async (context) => {
    needs(context, filter);
    const network = await Network.create(context, ['pod', 'outside']);
    const [pod, outside] = [network.machine('pod'), network.machine('outside')];
    const flags = ['--verification-port', '16021', '--include-inbound-ports', '80'];
    expect(init(pod, ['--filter', filter, ...flags])).toMatchObject({ code: 0 });
    await listen(pod, 15_006, 15_021);
    const fromOutside = await caller(outside);
    for (const family of FAMILIES) {
      const own = pod[family];
      expect(await fromOutside(own, 16_021)).toBe(`15006 was ${own} 16021`);
      expect(await fromOutside(own, 15_021)).toBe(`15021 was ${own} 15021`);
    }
  });

  test('capture only what is included', async (context) => {
    needs(context, filter);
    const network = await Network.create(context, ['pod', 'outside', 'far']);
    const [pod, outside, far] = [network.machine('pod'), network.machine('outside'), network.machine('far')];
    // More than the fifteen ports that one match of iptables holds.
    const ports = new Array(20).fill(0).map((_, index) => 1_000 + 2 * index);
    const set = init(pod, [
      ...['--filter', filter, '--include-inbound-ports', '80', '--include-outbound-ports', ports.join(',')],
      ...['--include-outbound-networks', `${outside.ipv4}/32,${outside.ipv6}/128`],
    ]);
    expect(set, set.stderr).toMatchObject({ code: 0 });
    await Promise.all([
      listen(pod, 80, 81, 15_001, 15_006),
      listen(outside, 80, 1_000, 1_038),
      listen(far, 1_000),
    ]);
    const [fromOutside, fromPod] = await Promise.all([caller(outside), caller(pod)]);
    for (const family of FAMILIES) {
      const own = pod[family];
      expect(await fromOutside(own, 80)).toBe(`15006 was ${own} 80`);
      expect(await fromOutside(own, 81)).toBe(`81 was ${own} 81`);
      // Without being named, or capture could never be verified.
      expect(await fromOutside(own, 15_021)).toBe(`15006 was ${own} 15021`);
      expect(await fromPod(outside[family], 1_000)).toBe(`15001 was ${outside[family]} 1000`);
      expect(await fromPod(outside[family], 1_038)).toBe(`15001 was ${outside[family]} 1038`);
      expect(await fromPod(outside[family], 80)).toBe(direct(80));
      expect(await fromPod(far[family], 1_000)).toBe(direct(1_000));
    }
  });
});
