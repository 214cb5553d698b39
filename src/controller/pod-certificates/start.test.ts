import { afterEach, beforeEach, expect, test } from 'vitest';
import { err, type Fields, Scope, silentLog, Watch } from '#runtime';
import { FakeClock } from '#runtime/testing';
import { ApiError } from '../discovery/watch/api-error.ts';
import type { ApiObjects } from '../discovery/watch/api-objects.ts';
import { Pods } from '../issuance/pods.ts';
import { startPodCertificates } from './start.ts';

let scope: Scope;
const failures: unknown[] = [];

beforeEach(() => {
  scope = new Scope('test', (error) => failures.push(error));
});
afterEach(async () => {
  await scope.close();
  expect(failures.splice(0)).toEqual([]);
});

/** A cluster that serves these resources of the group. Returns what was listed and what the log was warned of. */
async function startWith(resources: readonly string[] | undefined) {
  const clock = new FakeClock();
  const listed: string[] = [];
  const warned: Fields[] = [];
  const objects: ApiObjects = {
    list: (path) => {
      listed.push(path);
      return Promise.reject(new ApiError('refused', 'the server could not find the requested resource', 404));
    },
    watch: () => {
      throw new Error('nothing was listed');
    },
  };
  const reason = { code: 'issuer-ending', blame: 'operator' } as never;
  startPodCertificates(scope, {
    signerName: 'mesh.sallyport.dev/workload',
    api: {
      send: () =>
        resources === undefined
          ? Promise.reject(new Error('away'))
          : Promise.resolve({ status: 200, body: { resources: resources.map((name) => ({ name })) } }),
    },
    objects,
    authority: { issueFor: () => Promise.resolve(err({ reason, detail: '' })) },
    pods: new Pods('sallyport'),
    synced: () => true,
    revocations: new Watch([]),
    trustDomain: 'mesh.test',
    leads: new Watch(true),
    clock,
    log: { ...silentLog, warn: (message, fields) => warned.push({ message, ...fields }) },
    random: () => 0,
    onRestart: () => undefined,
  });
  await clock.advance(100_000);
  return { listed, warned };
}

test('a cluster that does not serve the API is told of, and looked at again from time to time', async () => {
  const { listed, warned } = await startWith(['certificatesigningrequests']);
  expect(warned).toMatchObject([{ signerName: 'mesh.sallyport.dev/workload' }]);
  expect(warned[0]?.next).toContain('PodCertificateRequest');
  expect(listed.length).toBeGreaterThan(2);
  // Only those for our signer are asked for.
  expect(new Set(listed)).toEqual(
    new Set([
      '/apis/certificates.k8s.io/v1beta1/podcertificaterequests?fieldSelector=spec.signerName%3Dmesh.sallyport.dev%2Fworkload',
    ]),
  );
});

test.each([[['podcertificaterequests', 'podcertificaterequests/status']], [undefined]])(
  'where it is served, or nobody can say, nothing is said (%j)',
  async (resources) => {
    expect((await startWith(resources)).warned).toEqual([]);
  },
);
