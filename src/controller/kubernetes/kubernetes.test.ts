import { expect, test } from 'vitest';
import { CertificateAuthority } from '#identity/ca';
import { Scope, silentLog } from '#runtime';
import { FakeClock } from '#runtime/testing';
import { FakeKubernetes } from '../testing/index.ts';
import type { KubernetesApi } from './api.ts';
import { Lease } from './lease.ts';
import { SecretDocument } from './secret-document.ts';

test('a document in a Secret is made once, and replaced only by who has seen its newest version', async () => {
  const api = new FakeKubernetes();
  const [first, second] = [new SecretDocument(api, 'mesh', 'ca'), new SecretDocument(api, 'mesh', 'ca')];
  expect(await first.read()).toBeUndefined();
  const made = await first.create('one');
  expect(await second.create('two')).toBeUndefined();
  const seen = await second.read();
  expect(seen).toEqual(made);
  expect(await second.replace('three', seen!.version)).toMatchObject({ text: 'three' });
  expect(await first.replace('four', made!.version)).toBeUndefined();
  expect((await first.read())!.text).toBe('three');
  await expect(first.create('x'.repeat(1024 * 1024))).rejects.toThrow('Secret mesh/ca');
  api.down = true;
  await expect(first.read()).rejects.toThrow('did not answer');
});

test('the API server refusing is an error with its words, never an empty state', async () => {
  const refusing: KubernetesApi = {
    send: () => Promise.resolve({ status: 403, body: { message: 'secrets "ca" is forbidden' } }),
  };
  const document = new SecretDocument(refusing, 'mesh', 'ca');
  for (const call of [document.read(), document.create(''), document.replace('', '1')]) {
    await expect(call).rejects.toThrow('Secret mesh/ca: HTTP 403: secrets "ca" is forbidden');
  }
  const options = { document, trustDomain: 'mesh.test', clock: new FakeClock(), log: silentLog };
  await expect(CertificateAuthority.open(options)).rejects.toThrow('forbidden');
});

/** Two replicas and their lease. */
function replicas(): { api: FakeKubernetes; clock: FakeClock; lease: (holder: string) => Lease } {
  const api = new FakeKubernetes();
  const clock = new FakeClock();
  const parts = { api, namespace: 'mesh', name: 'controller', clock, log: silentLog };
  return { api, clock, lease: (holder) => new Lease({ ...parts, holder }) };
}

const PATH = '/apis/coordination.k8s.io/v1/namespaces/mesh/leases/controller';

test('one replica leads; when it gives the lease back, the other does within seconds', async () => {
  const { api, clock, lease } = replicas();
  const [one, two] = [lease('one'), lease('two')];
  const [first, second] = [new Scope('one', fail), new Scope('two', fail)];
  one.run(first);
  await clock.advance(1);
  two.run(second);
  await clock.advance(60_000);
  expect([one.leads.value, two.leads.value]).toEqual([true, false]);
  await first.close();
  expect(one.leads.value).toBe(false);
  await clock.advance(5000);
  expect(two.leads.value).toBe(true);
  expect(api.objects.get(PATH)).toMatchObject({ spec: { holderIdentity: 'two', leaseTransitions: 3 } });
  await second.close();
});

test('a leader that dies is followed by another, and one that is cut off stops before that', async () => {
  const { api, clock, lease } = replicas();
  const [one, two] = [lease('one'), lease('two')];
  const [first, second] = [new Scope('one', fail), new Scope('two', fail)];
  one.run(first);
  await clock.advance(1);
  two.run(second);
  await clock.advance(20_000);
  api.down = true;
  await clock.advance(14_000);
  expect([one.leads.value, two.leads.value]).toEqual([false, false]);
  api.down = false;
  await clock.advance(5000);
  expect([one.leads.value, two.leads.value].filter(Boolean)).toHaveLength(1);
  await first.close();
  await second.close();
});

function fail(error: unknown): never {
  throw error;
}
