import { spawnSync } from 'node:child_process';
import { describe, expect, test, vi } from 'vitest';
import { needs } from '../../support/child.ts';
import { Network, needsNamespaces } from '../../support/netns.ts';
import { caller, init, listen, nftRules } from './inside.ts';
import { STORY_MILLISECONDS } from './story.ts';

vi.setConfig({ testTimeout: STORY_MILLISECONDS });

const WITHOUT_NET_ADMIN = ['--bounding-set', '-net_admin', '--inh-caps', '-net_admin'];
const AS_SIDECAR = ['--reuid', '1337', '--inh-caps', '+net_admin', '--ambient-caps', '+net_admin'];

describe('init refuses', () => {
  test("the host's network namespace, whatever is asked for", (context) => {
    needsNamespaces(context);
    // Without NET_ADMIN: should the refusal ever be lost, this test must not capture the traffic of the machine.
    for (const more of [[], ['--remove'], ['--filter', 'iptables']]) {
      const args = [...WITHOUT_NET_ADMIN, process.execPath, 'src/cli/main.ts', 'init', ...more];
      const ended = spawnSync('setpriv', args, { encoding: 'utf8' });
      expect(ended.status).toBe(1);
      expect(ended.stderr).toContain('host-network-namespace');
      expect(ended.stderr).toContain('without hostNetwork');
    }
  });

  test("a pod that has its node's address, or doesn't say which it has", async (context) => {
    needs(context, 'nft');
    const pod = (await Network.create(context, ['pod'])).machine('pod');
    const KUBERNETES_SERVICE_HOST = '10.96.0.1';
    const shared = { KUBERNETES_SERVICE_HOST, SALLYPORT_HOST_IPS: `192.168.1.1,${pod.ipv6}` };
    expect(init(pod, [], { environment: shared }).stderr).toContain('host-network-namespace');
    expect(init(pod, [], { environment: { KUBERNETES_SERVICE_HOST } }).stderr).toContain('status.hostIPs');
    expect(nftRules(pod)).toBe('');
    const good = { KUBERNETES_SERVICE_HOST, SALLYPORT_HOST_IPS: '192.168.1.1,fd00::1' };
    expect(init(pod, [], { environment: good })).toMatchObject({ code: 0 });
  });

  test('values that could be rules; those that are loaded stay as they are', async (context) => {
    needs(context, 'nft');
    const pod = (await Network.create(context, ['pod'])).machine('pod');
    expect(init(pod)).toMatchObject({ code: 0 });
    const before = nftRules(pod);
    const environment = {
      SALLYPORT_EXCLUDE_INBOUND_PORTS: '80; flush ruleset',
      SALLYPORT_EXCLUDE_OUTBOUND_PORTS: '443\nflush ruleset',
      SALLYPORT_EXCLUDE_OUTBOUND_NETWORKS: '10.0.0.0/8 } accept; }',
      SALLYPORT_INCLUDE_INBOUND_PORTS: '1-99999999999999999999',
      SALLYPORT_UID: '-1',
    };
    const refused = init(pod, [], { environment });
    expect(refused.code).toBe(2);
    const lines = refused.stderr.trim().split('\n');
    expect(lines).toHaveLength(1 + Object.keys(environment).length);
    for (const variable of Object.keys(environment)) expect(refused.stderr).toContain(`${variable}: `);
    expect(init(pod, ['--exclude-inbound-ports', '$(nft flush ruleset)'])).toMatchObject({ code: 2 });
    // Right each by itself, and together everything.
    const everything = { SALLYPORT_EXCLUDE_OUTBOUND_NETWORKS: '0.0.0.0/1,128.0.0.0/1' };
    expect(init(pod, [], { environment: everything }).stderr).toContain('every address of IPv4');
    expect(init(pod, ['--exclude-inbound-ports', '15021'])).toMatchObject({ code: 2 });
    expect(init(pod, ['--filter', 'nft; true'])).toMatchObject({ code: 2 });
    expect(nftRules(pod)).toBe(before);
  });

  test('to change rules without the capability, saying which', async (context) => {
    needs(context, 'nft');
    const pod = (await Network.create(context, ['pod'])).machine('pod');
    const { code, stderr } = pod.run('setpriv', [
      ...WITHOUT_NET_ADMIN,
      process.execPath,
      'src/cli/main.ts',
      'init',
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain('net-admin-missing');
    expect(stderr).toContain('NET_ADMIN');
  });

  test('to prove anything as the user whose connections pass', async (context) => {
    needs(context, 'nft');
    const pod = (await Network.create(context, ['pod'])).machine('pod');
    const { code, stderr } = pod.run('setpriv', [...AS_SIDECAR, process.execPath, 'src/cli/main.ts', 'init']);
    expect(stderr).toContain('runs-as-sidecar');
    expect(code).toBe(1);
    expect(nftRules(pod)).toBe('');
  });

  test('when its port is taken, before any rule is changed, naming who has it', async (context) => {
    needs(context, 'nft');
    const pod = (await Network.create(context, ['pod'])).machine('pod');
    await listen(pod, 15_001);
    const refused = init(pod);
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toMatch(/capture-port-taken.*\(process \d+\)/);
    expect(nftRules(pod)).toBe('');
  });
});

describe('init fails closed', () => {
  test('where somebody else takes the connections first', async (context) => {
    needs(context, 'nft');
    const network = await Network.create(context, ['pod', 'outside']);
    const [pod, outside] = [network.machine('pod'), network.machine('outside')];
    await listen(outside, 1);
    const other = `table ip other {
      chain output {
        type nat hook output priority -150; policy accept;
        ip daddr 192.0.2.1 tcp dport 1 dnat to ${outside.ipv4}
      }
    }\n`;
    expect(pod.run('nft', ['-f', '-'], { input: other })).toMatchObject({ code: 0 });
    const failed = init(pod);
    expect(failed).toMatchObject({ code: 1 });
    expect(failed.stderr).toContain('capture-unproved: 192.0.2.1:1: it connected, but not to us');
    // Fail closed: the application could not start before, and whatever runs can't leave uncaptured.
    expect(failed.stderr).toContain('They stay loaded');
    expect(failed.stderr).toContain('sallyport init --remove');
    expect(nftRules(pod)).toContain('table inet sallyport');
    // Nothing of the other addresses leaves.
    const call = await caller(pod, 1_000);
    expect(await call(outside.ipv4, 1)).toBe('ECONNREFUSED');
  });

  test('without any network; by its neighbours where there is no way out', async (context) => {
    needs(context, 'nft');
    const pod = (await Network.create(context, ['pod'])).machine('pod');
    pod.ip(['route del default via 10.77.0.1', 'route del default via fd77::1']);
    const neighbours = init(pod);
    expect(neighbours, neighbours.stderr).toMatchObject({ code: 0 });
    expect(neighbours.stdout).toContain('10.77.0.3:1 and [fd77::3]:1');
    pod.ip(['link set eth0 down']);
    const alone = init(pod);
    expect(alone).toMatchObject({ code: 1 });
    expect(alone.stderr).toContain('no-network: neither by ipv4 nor by ipv6');
  });

  test('says so where a family is off, and proves the other', async (context) => {
    needs(context, 'nft');
    const pod = (await Network.create(context, ['pod'])).machine('pod');
    pod.run('sh', ['-c', 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6']);
    const set = init(pod);
    expect(set, set.stderr).toMatchObject({ code: 0 });
    expect(set.stdout).toContain('Proved by connections to 192.0.2.1:1,');
    expect(set.stdout).toContain('no route for IPv6');
  });

  test('takes iptables where nft does not work', async (context) => {
    for (const program of ['nft', 'iptables']) needs(context, program);
    const network = await Network.create(context, ['pod', 'outside']);
    const pod = network.machine('pod');
    const { stdout: path } = pod.run('which', ['nft']);
    expect(pod.run('mount', ['--bind', '/bin/false', path.trim()])).toMatchObject({ code: 0 });
    const set = init(pod);
    expect(set, set.stderr).toMatchObject({ code: 0 });
    expect(set.stdout).toContain('Capture is set up (iptables)');
    await listen(pod, 15_001);
    const call = await caller(pod);
    expect(await call(network.machine('outside').ipv6, 80)).toContain('15001 was');
    const refused = init(pod, ['--filter', 'nft']);
    expect(refused.stderr).toContain('packet-filter-refused: nft ended with 1');
  });
});
