import { expect, test, vi } from 'vitest';
import { caller, listen } from './inside.ts';
import { identityOf, NamespaceMesh, openTo } from './mesh.ts';
import { STORY_MILLISECONDS } from './story.ts';

vi.setConfig({ testTimeout: STORY_MILLISECONDS });

const ROUTED = 'sallyport_connections_routed_total';

test('destinations without a sidecar, outside of the mesh, and unknown', async (context) => {
  const mesh = await NamespaceMesh.create(context, ['web', 'orders']);
  const { router } = mesh.network;
  const orders = mesh.network.machine('orders');
  // An address of the Internet, and one inside the cluster that nothing is known of.
  router.ip(['address add 203.0.113.9/32 dev lo', 'address add 10.78.99.9/32 dev lo']);
  const web = await mesh.start('web');
  await Promise.all([listen(mesh.outside, 80), listen(orders, 80), listen(router, 443)]);
  const call = await caller(web.machine);

  // The last two machines have no rules, so no connection of theirs was redirected.
  expect(await call(mesh.outside.ipv4, 80)).toBe('80 was not-redirected');
  expect(await call('203.0.113.9', 443)).toBe('443 was not-redirected');
  expect(web.metric(mesh.outside, ROUTED, { route: 'unmeshed' })).toBe(1);
  expect(web.metric(mesh.outside, ROUTED, { route: 'egress' })).toBe(1);

  expect(await call('10.78.99.9', 443)).toBe('ECONNRESET');
  // It is said to have a sidecar, and has none: there is no plaintext after a failed handshake.
  expect(await call(orders.ipv4, 80)).toBe('ECONNRESET');
  const lines = await web.connections('outbound', 4);
  const reasons = lines.map(({ destination, reason }) => [destination, reason]);
  expect(reasons.slice(2)).toEqual([
    ['10.78.99.9:443', 'destination-unknown'],
    [`${orders.ipv4}:80`, expect.not.stringMatching(/^none$/)],
  ]);
  // Nobody was reached, so nothing went anywhere.
  expect(web.metric(mesh.outside, ROUTED, { route: 'mesh' })).toBe(0);
});

test('a Service is dialled at its own address, which the network translates', async (context) => {
  const mesh = await NamespaceMesh.create(context, ['web', 'orders']);
  const [own, orders] = [mesh.network.machine('web'), mesh.network.machine('orders')];
  // What kube-proxy does on a node, for a Service of orders and for one of the caller itself.
  const rules = `table ip services {
    chain there {
      type nat hook prerouting priority dstnat; policy accept;
      ip daddr 10.78.0.9 tcp dport 80 dnat to ${orders.ipv4}:8080
      ip daddr 10.78.0.10 tcp dport 80 dnat to ${own.ipv4}:8080
    }
    chain back {
      type nat hook postrouting priority srcnat; policy accept;
      ct status dnat masquerade
    }
  }\n`;
  expect(mesh.network.router.run('nft', ['-f', '-'], { input: rules })).toMatchObject({ code: 0 });
  const service = (address: string, name: string): string =>
    `  - { service: ${name}.shop, networks: [${address}/32], ports: [{ port: 80, targetPort: 8080 }], identities: ["${identityOf(name)}"] }`;
  const destinations = [service('10.78.0.9', 'orders'), service('10.78.0.10', 'web')].join('\n');
  const [web] = await Promise.all([mesh.start('web', { destinations }), mesh.start('orders')]);
  await Promise.all([listen(orders, 8_080), listen(own, 8_080)]);
  const call = await caller(own);
  expect(await call('10.78.0.9', 80)).toBe(`8080 was ${orders.ipv4} 8080`);
  expect(await call('10.78.0.10', 80)).toBe(`8080 was ${own.ipv4} 8080`);
  expect(await web.connections('outbound', 2)).toMatchObject([
    { mode: 'mtls', destination: 'orders.shop:80', peer: identityOf('orders') },
    // Nobody told it that it stands behind the Service itself: that is mutual TLS with itself.
    { mode: 'mtls', destination: 'web.shop:80', peer: identityOf('web') },
  ]);
});

test('a pod with a sidecar collects the metrics of another', async (context) => {
  const mesh = await NamespaceMesh.create(context, ['prometheus', 'orders']);
  const [prometheus, orders] = await Promise.all([mesh.start('prometheus'), mesh.start('orders')]);
  const url = `http://${orders.ipv4}:15020/metrics`;
  const { stdout } = prometheus.machine.run('curl', ['-s', '-m', '5', url]);
  expect(stdout).toContain('sallyport_certificate_seconds_left{');
});

test('an address that belongs to somebody else is nobody to us', async (context) => {
  const mesh = await NamespaceMesh.create(context, ['web', 'orders', 'thief']);
  const thief = mesh.network.machine('thief');
  // Says of the thief's address that orders is there.
  const destinations = `  - { networks: [${thief.ipv4}/32], ports: [80], identities: ["${identityOf('orders')}"] }`;
  const [web] = await Promise.all([mesh.start('web', { destinations }), mesh.start('thief')]);
  await listen(thief, 80);
  const call = await caller(web.machine);
  expect(await call(thief.ipv4, 80)).toBe('ECONNRESET');
  expect((await web.connections('outbound', 1))[0]).toMatchObject({ reason: 'spiffe-id-mismatch' });
});

test('a renewed certificate, other policies and other destinations are taken without a restart', async (context) => {
  const mesh = await NamespaceMesh.create(context, ['web', 'orders']);
  const [web, orders] = await Promise.all([mesh.start('web'), mesh.start('orders')]);
  await listen(orders.machine, 80);
  const call = await caller(web.machine);
  const answer = `80 was ${orders.ipv4} 80`;
  expect(await call(orders.ipv4, 80)).toBe(answer);
  const [before] = await orders.connections('inbound', 1);

  mesh.renew(orders);
  await orders.sidecar.says(/"what":"certificate and key".*"files read"/);
  expect(await call(orders.ipv4, 80)).toBe(answer);
  const [, after] = await orders.connections('inbound', 2);
  expect(after?.localSerial).not.toBe(before?.localSerial);

  orders.write('policies/policy.yaml', openTo('Strict').replace('action: Allow', 'action: Deny'));
  await orders.sidecar.says(/"epoch":2.*"policies loaded"/);
  expect(await call(orders.ipv4, 80)).toBe('ECONNRESET');
  orders.write('policies/policy.yaml', 'nonsense');
  await orders.sidecar.says(/policies refused; the last good set stays/);
  expect(await call(orders.ipv4, 80)).toBe('ECONNRESET');
  orders.write('policies/policy.yaml', openTo('Strict'));
  await orders.sidecar.says(/"epoch":3.*"policies loaded"/);
  expect(await call(orders.ipv4, 80)).toBe(answer);

  web.write('destinations.yaml', 'clusterNetworks: [10.0.0.1/8]');
  await web.sidecar.says(/files refused; what was in force stays/);
  expect(await call(orders.ipv4, 80)).toBe(answer);
  web.write('destinations.yaml', 'clusterNetworks: [10.0.0.0/8]');
  await web.sidecar.says(/"what":"destinations".*"files read"/);
  expect(await call(orders.ipv4, 80)).toBe('ECONNRESET');
  expect((await web.connections('outbound', 6)).at(-1)).toMatchObject({ reason: 'destination-unknown' });
});

test('without a certificate nothing passes, and the pod does not become ready', async (context) => {
  const mesh = await NamespaceMesh.create(context, ['web', 'orders']);
  const [web, orders] = await Promise.all([mesh.start('web'), mesh.start('orders')]);
  await listen(orders.machine, 80);
  const call = await caller(web.machine);
  await web.stopSidecar();
  expect(await call(orders.ipv4, 80)).toBe('ECONNREFUSED');

  web.spoilIdentity();
  const sidecar = await web.startSidecar();
  await sidecar.says(/files refused; nothing passes until they are good/);
  expect(await call(orders.ipv4, 80)).toBe('ECONNRESET');
  const ready = mesh.outside.run('curl', ['-s', '-w', '%{http_code}', `http://${web.ipv4}:15021/ready`]);
  expect(ready.stdout).toMatch(/"code":"no-credential".*\n503$/s);

  mesh.renew(web);
  await sidecar.says(/"what":"certificate and key".*"files read"/);
  expect(await call(orders.ipv4, 80)).toBe(`80 was ${orders.ipv4} 80`);
});

test('UDP and ICMP pass beside the sidecar and are counted', async (context) => {
  const mesh = await NamespaceMesh.create(context, ['web']);
  const web = await mesh.start('web');
  const sent = { protocol: 'udp', flow: 'sent' };
  const icmp = { protocol: 'icmp', flow: 'received' };
  const PACKETS = 'sallyport_uncaptured_packets_total';
  const before = web.metric(mesh.outside, PACKETS, sent);
  const beforeIcmp = web.metric(mesh.outside, PACKETS, icmp);
  const program = ['test/e2e/netns/programs/datagrams.ts', 'ask', mesh.outside.ipv4, '5354'];
  await web.machine.start(process.execPath, program).says(/ECONNREFUSED/);
  expect(web.metric(mesh.outside, PACKETS, sent)).toBe(before + 1);
  expect(web.metric(mesh.outside, PACKETS, icmp)).toBe(beforeIcmp + 1);
});
