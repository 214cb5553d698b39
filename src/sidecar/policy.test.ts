import { afterEach, describe, expect, test } from 'vitest';
import type { ConnectionFacts, Decision } from '#policy';
import { adminOf } from './testing/admin-client.ts';
import { ALLOW_ALL, allow, TestMesh, tls } from './testing/mesh.ts';
import { eventually, readAll, readExactly, tcpClient, tcpServer } from './testing/sockets.ts';

let mesh: TestMesh;
afterEach(() => mesh.close());

/** An echo service that counts who reached it. */
async function echo(): Promise<Awaited<ReturnType<typeof tcpServer>> & { readonly reached: () => number }> {
  let reached = 0;
  const server = await tcpServer((socket) => {
    reached += 1;
    socket.pipe(socket);
  });
  mesh.scope.defer(() => server.close());
  return Object.assign(server, { reached: () => reached });
}

describe('a denied caller', () => {
  test('is told access_denied, reaches nobody, and both sides say why', async () => {
    mesh = new TestMesh({ policy: allow(['billing']) });
    const application = await echo();
    const seen: [Decision, ConnectionFacts][] = [];
    const onDecision = (decision: Decision, facts: ConnectionFacts) => seen.push([decision, facts]);
    const orders = await mesh.start('orders', { application, override: { onDecision } });
    const web = await mesh.start('web', { calls: { orders: mesh.to(orders) } });
    const client = await tcpClient(web.calls('orders'));
    client.write('let me in');
    expect(await readAll(client)).toMatchObject({ ending: 'reset', bytes: Buffer.alloc(0) });
    await eventually(() => web.connections().length + orders.connections().length === 2, 'both lines');
    expect(application.reached()).toBe(0);
    const why = { reason: 'no-policy-allows', policy: 'shop/some', receivedBytes: 0 };
    expect(orders.connections()[0]).toMatchObject({ ...why, peer: web.identity.toString() });
    expect(String(orders.connections()[0]?.detail)).toContain('policies.yaml');
    expect(web.connections()[0]).toMatchObject({
      reason: 'alert-received',
      peer: orders.identity.toString(),
    });
    expect(String(web.connections()[0]?.detail)).toContain('access_denied');
    const [server] = mesh.handshakes('orders');
    const [caller] = mesh.handshakes('web');
    expect(server).toMatchObject({ result: 'refused', reason: 'no-policy-allows', policy: 'shop/some' });
    expect(caller).toMatchObject({
      result: 'failed',
      alert: { name: 'access_denied', direction: 'received' },
    });
    expect(caller?.traceId).toBe(server?.traceId);
    expect(seen).toMatchObject([[{ allowed: false, edit: { action: 'add-caller' } }, { port: 80 }]]);
    const metrics = await adminOf(orders).text('/metrics');
    expect(metrics).toMatch(/sallyport_policy_decisions_total\{.*policy="shop\/some".*result="denied".*\} 1/);
  });
});

describe('a Shadow policy', () => {
  test('refuses nobody, and says whom it would have, by rule, in record, log and metrics', async () => {
    const shadow = ALLOW_ALL.replace('name: all', 'name: strict')
      .replace('action: Allow', 'action: Deny\n  enforcement: Shadow')
      .replace('namespaces: [shop]', 'serviceAccounts: [{ name: web, namespace: shop }]');
    mesh = new TestMesh({ policy: `${ALLOW_ALL}---${shadow}` });
    const orders = await mesh.start('orders', { application: await echo() });
    const web = await mesh.start('web', { calls: { orders: mesh.to(orders) } });
    const billing = await mesh.start('billing', { calls: { orders: mesh.to(orders) } });
    for (const caller of [web, billing]) {
      const client = await tcpClient(caller.calls('orders'));
      client.end('1');
      expect((await readAll(client)).bytes.toString()).toBe('1');
    }
    await eventually(() => orders.connections().length === 2, 'both lines');
    const lineOf = (peer: string) => orders.connections().find((line) => line.peer === peer);
    expect(lineOf(web.identity.toString())).toMatchObject({
      policy: 'shop/all',
      wouldDeny: ['shop/strict rule 0'],
    });
    expect(lineOf(billing.identity.toString())).not.toHaveProperty('wouldDeny');
    expect(mesh.handshakes('orders').map(({ wouldDeny }) => wouldDeny)).toEqual([
      ['shop/strict rule 0'],
      undefined,
    ]);
    const metrics = await adminOf(orders).text('/metrics');
    expect(metrics).toMatch(
      /sallyport_policy_decisions_total\{.*policy="shop\/strict",rule="0",result="denied",enforcement="shadow".*\} 1/,
    );
  });
});

describe('before the first word about policies', () => {
  test('nobody is let in, whatever the defaults, and the sidecar is not ready', async () => {
    mesh = new TestMesh();
    const application = await echo();
    const orders = await mesh.start('orders', { application });
    const web = await mesh.start('web', { calls: { orders: mesh.to(orders) } });
    mesh.policy(ALLOW_ALL, { unselected: 'AllowAuthenticated' }, 0);
    const client = await tcpClient(web.calls('orders'));
    client.write('1');
    expect(await readAll(client)).toMatchObject({ ending: 'reset' });
    await eventually(() => orders.connections().length === 1, 'its line');
    expect(orders.connections()).toMatchObject([{ reason: 'no-policies' }]);
    expect(mesh.handshakes('orders')).toMatchObject([{ result: 'refused', reason: 'no-policies' }]);
    expect(application.reached()).toBe(0);
    expect(orders.sidecar.readiness).toMatchObject({ ready: false, reasons: [{ code: 'no-policies' }] });
    mesh.policy(ALLOW_ALL);
    expect(orders.sidecar.readiness.ready).toBe(true);
  });
});

describe('a changed policy', () => {
  test('ends what it no longer allows, by name, and touches nothing else', async () => {
    mesh = new TestMesh();
    const orders = await mesh.start('orders', { application: await echo() });
    const web = await mesh.start('web', { calls: { orders: mesh.to(orders) } });
    const billing = await mesh.start('billing', { calls: { orders: mesh.to(orders) } });
    const [refused, kept] = [await tcpClient(web.calls('orders')), await tcpClient(billing.calls('orders'))];
    for (const client of [refused, kept]) {
      client.write('1');
      await readExactly(client, 1);
    }
    const ending = readAll(refused);
    const changed = performance.now();
    mesh.policy(allow(['billing']));
    expect((await ending).ending).toBe('reset');
    expect(performance.now() - changed).toBeLessThan(1_000);
    await eventually(() => orders.connections().length === 1, 'the line');
    expect(orders.connections()[0]).toMatchObject({
      reason: 'policy-changed',
      peer: web.identity.toString(),
    });
    expect(String(orders.connections()[0]?.detail)).toContain('shop/some');

    kept.write('2');
    expect((await readExactly(kept, 1)).toString()).toBe('2');
    const { connections, policy } = await adminOf(orders).json<{
      connections: { inbound: number; newest: { policyEpoch: number; peer: string }[] };
      policy: { epoch: number };
    }>('/dump');
    expect(policy.epoch).toBe(2);
    expect(connections).toMatchObject({
      inbound: 1,
      newest: [{ policyEpoch: 2, peer: billing.identity.toString() }],
    });
    kept.destroy();
  });

  test('that cannot be decided for one connection ends that one, and the others are still decided', async () => {
    mesh = new TestMesh();
    const orders = await mesh.start('orders', { application: await echo() });
    const clients: Awaited<ReturnType<typeof tcpClient>>[] = [];
    const identities: string[] = [];
    for (const name of ['web', 'billing', 'cart']) {
      const caller = await mesh.start(name, { calls: { orders: mesh.to(orders) } });
      const client = await tcpClient(caller.calls('orders'));
      client.write('1');
      await readExactly(client, 1);
      clients.push(client);
      identities.push(caller.identity.toString());
    }
    // Connections are asked about oldest first, each once: the second question is about billing's.
    const { value: before } = mesh.policies;
    let asked = 0;
    mesh.policies.set({
      ...before,
      epoch: 2,
      select(workload) {
        asked += 1;
        if (asked === 2) throw new Error('a rule broke');
        return before.select(workload);
      },
    });
    expect(asked).toBe(3);
    await eventually(() => orders.connections().length === 1, 'the line');
    expect(orders.connections()[0]).toMatchObject({ reason: 'internal-error', peer: identities[1] });
    expect(String(orders.connections()[0]?.detail)).toContain('a rule broke');
    // Its line comes a moment before it is off the list.
    const left = async (): Promise<unknown> => {
      const { connections } = await adminOf(orders).json<{
        connections: { newest: { policyEpoch: number; peer: string }[] };
      }>('/dump');
      return connections.newest.map(({ peer, policyEpoch }) => [peer, policyEpoch]);
    };
    await expect.poll(left).toEqual([
      [identities[0], 2],
      [identities[2], 2],
    ]);
    for (const client of clients) client.destroy();
  });

  test('that comes while the application is dialled ends that connection too', async () => {
    mesh = new TestMesh();
    const orders = await mesh.start('orders', {
      application: await echo(),
      override: { onDecision: () => queueMicrotask(() => mesh.policy(allow(['nobody']))) },
    });
    const web = await mesh.start('web', { calls: { orders: mesh.to(orders) } });
    const client = await tcpClient(web.calls('orders'));
    expect((await readAll(client)).ending).toBe('reset');
    await eventually(() => orders.connections().length === 1, 'the line');
    expect(orders.connections()[0]).toMatchObject({ reason: 'policy-changed' });
  });

  test('to Strict ends live plaintext', async () => {
    mesh = new TestMesh({ policy: tls('Permissive'), defaults: { unselected: 'AllowAuthenticated' } });
    const orders = await mesh.start('orders', { application: await echo() });
    const client = await tcpClient(orders.sidecar.addresses.inbound ?? { host: '', port: 0 });
    client.write('plain');
    expect((await readExactly(client, 5)).toString()).toBe('plain');
    const ending = readAll(client);
    mesh.policy(tls('Strict'), { unselected: 'AllowAuthenticated' });
    expect((await ending).ending).toBe('reset');
    await eventually(() => orders.connections().length === 1, 'the line');
    expect(orders.connections()[0]).toMatchObject({ reason: 'policy-changed', mode: 'plaintext' });
  });

  test('that allows a caller holds for its next call', async () => {
    mesh = new TestMesh({ policy: allow(['nobody']) });
    const orders = await mesh.start('orders', { application: await echo() });
    const web = await mesh.start('web', { calls: { orders: mesh.to(orders) } });
    expect((await readAll(await tcpClient(web.calls('orders')))).ending).toBe('reset');
    mesh.policy(ALLOW_ALL);
    const client = await tcpClient(web.calls('orders'));
    client.end('now?');
    expect((await readAll(client)).bytes.toString()).toBe('now?');
  });
});
