import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { Scope, silentLog, Watch } from '#runtime';
import { FakeClock } from '#runtime/testing';
import { verifySvid } from '../path/verify-svid.ts';
import { serviceAccountId } from '../spiffe-id.ts';
import { makeKeys } from '../testing/keys.ts';
import { SharedDocument } from '../testing/shared-document.ts';
import { createCertificateRequest } from '../x509/certificate-request.ts';
import { CertificateAuthority } from './authority.ts';
import type { AuthorityOptions } from './config.ts';
import { DocumentStore } from './document-store.ts';
import type { StateDocument } from './state-document.ts';

const MINUTE = 60_000;
const ID = serviceAccountId('mesh.test', 'shop', 'web');
const REQUEST = createCertificateRequest(makeKeys('ec-p256'));

let clock: FakeClock;
let shared: SharedDocument;

beforeEach(() => {
  clock = new FakeClock(Date.UTC(2026, 5, 1));
  shared = new SharedDocument();
});

function open(
  document: StateDocument = shared.client(),
  options: Partial<AuthorityOptions> = {},
): Promise<CertificateAuthority> {
  return CertificateAuthority.open({ document, trustDomain: 'mesh.test', clock, log: silentLog, ...options });
}

async function issue(
  authority: CertificateAuthority,
): Promise<{ serial: string; chain: readonly Uint8Array[] }> {
  const issued = await authority.issue(REQUEST, ID);
  if (!issued.ok) throw new Error(issued.error.detail);
  return issued.value;
}

function believed(chain: readonly Uint8Array[], authority: CertificateAuthority): boolean {
  return verifySvid({ role: 'client', chain }, authority.bundle.value, clock.now()).ok;
}

test('replicas that start at once have one root, and believe what the others issue', async () => {
  const replicas = await Promise.all([open(), open(), open()]);
  expect(new Set(replicas.map((each) => each.root.value.serial)).size).toBe(1);
  expect(shared.history).toHaveLength(1);
  for (const replica of replicas) {
    const { chain } = await issue(replica);
    for (const other of replicas) expect(believed(chain, other)).toBe(true);
  }
});

test('two that lead at once do no harm: one rotation, one intermediate, old leaves stay good', async () => {
  const [first, second] = await Promise.all([open(), open()]);
  const leaf = await issue(first);
  await clock.advance(20 * 3_600_000);
  await Promise.all([first.rotateIntermediate(), second.rotateIntermediate()]);
  await Promise.all([first.rotateIntermediate(), second.rotateIntermediate()]);
  const fresh = await open();
  expect(first.root.value.serial).toBe(fresh.root.value.serial);
  for (const chain of [(await issue(first)).chain, (await issue(second)).chain, (await issue(fresh)).chain]) {
    for (const each of [first, second, fresh]) expect(believed(chain, each)).toBe(true);
  }
  expect(leaf.serial).not.toBe('');
});

test('by schedule one of two leaders makes each intermediate, and both sign with it', async () => {
  const failures: unknown[] = [];
  const scope = new Scope('test', (error) => failures.push(error));
  const short = { leafLifetimeMilliseconds: 10 * MINUTE, intermediateLifetimeMilliseconds: 60 * MINUTE };
  const [first, second] = await Promise.all([open(undefined, short), open(undefined, short)]);
  first.run(scope, new Watch(true));
  second.run(scope, new Watch(true));
  // Keys are made and used by other threads, for which this clock would not wait.
  for (let minute = 0; minute < 3 * 60; minute += 1) {
    await clock.advance(MINUTE);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(first.intermediate.value.serial).toBe(second.intermediate.value.serial);
  // The first document, and two transitions for the successor that is made every 27.5 minutes: by whoever was faster.
  expect(shared.history).toHaveLength(1 + 2 * 6);
  await scope.close();
  expect(failures).toEqual([]);
});

test('a replica that does not lead takes over what the leader rotated', async () => {
  const scope = new Scope('test', () => undefined);
  const [leader, follower] = await Promise.all([open(), open()]);
  follower.run(scope, new Watch(false));
  await leader.rotateIntermediate();
  await clock.advance(31_000);
  expect(follower.intermediate.value.serial).toBe(leader.intermediate.value.serial);
  await scope.close();
});

test('what is damaged is refused and left as it is', async () => {
  await open();
  const good = shared.text;
  const changed = JSON.parse(good) as { contents: Record<string, string>; state: { generation: number } };
  const [key = ''] = Object.keys(changed.contents).filter((name) => name.includes('.key.'));
  const damages = [
    good.slice(0, -20),
    good.replace('"generation":1', '"generation":2'),
    JSON.stringify({ ...changed, contents: { ...changed.contents, [key]: 'no key' } }),
    JSON.stringify({ ...changed, contents: {} }),
    '{}',
    '',
  ];
  for (const damage of damages) {
    shared.overwrite(damage);
    await expect(open()).rejects.toThrow('Secret test/sallyport-ca');
    expect(shared.text).toBe(damage);
  }
  shared.overwrite(good);
  await open();
});

test('a state that was removed or replaced by another root under a running authority is not taken over', async () => {
  const authority = await open();
  shared.overwrite(undefined);
  await expect(authority.rotateIntermediate()).rejects.toThrow('is gone');
  expect(shared.text).toBe('');
  const other = await open();
  await expect(authority.rotateIntermediate()).rejects.toThrow('another root');
  // It still issues under the root that its sidecars know.
  expect(believed((await issue(authority)).chain, authority)).toBe(true);
  expect(other.root.value.serial).not.toBe(authority.root.value.serial);
});

test('an answer that was lost is no loss: what was written is found again', async () => {
  let lost = false;
  const store = await DocumentStore.open(
    shared.client((moment) => {
      if (moment === 'after' && lost) {
        lost = false;
        throw new Error('the connection broke');
      }
    }),
    'mesh.test',
    silentLog,
  );
  const authority = await open(shared.client());
  await store.refresh();
  const { generation } = store.state;
  lost = true;
  await expect(store.commit({ next: null })).rejects.toThrow('broke');
  expect(await store.refresh()).toBe(true);
  expect(store.state.generation).toBe(generation + 1);
  await authority.close();
});

/** Thrown where the process is killed: nothing of the replica runs after it. */
class Killed extends Error {}

/** A replica that is killed at its `last`th step; a killed process is silent for ever. */
function mortal(last: number): { document: StateDocument; died: Promise<never> } {
  let steps = 0;
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const document = shared.client(() => {
    steps += 1;
    if (steps < last) return undefined;
    reject(new Killed());
    return new Promise<never>(() => undefined);
  });
  return { document, died: promise };
}

test('killed at 100 random moments of issuing and rotating: nothing is lost, doubled or torn', async () => {
  const serials = new Set<string>();
  const chains: (readonly Uint8Array[])[] = [];
  let root: string | undefined;
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 14 }), fc.integer({ min: 1, max: 14 }), async (one, two) => {
      const lives = [one, two].map(async (last) => {
        const { document, died } = mortal(last);
        const authority = await Promise.race([open(document), died]);
        for (;;) {
          const { serial, chain } = await issue(authority);
          expect(serials.has(serial)).toBe(false);
          serials.add(serial);
          chains.push(chain);
          await Promise.race([authority.rotateIntermediate(), died]);
        }
      });
      for (const life of await Promise.allSettled(lives)) {
        expect(life).toMatchObject({ status: 'rejected', reason: expect.any(Killed) });
      }
      const survivor = await open();
      // Before the first write nobody has a root; from then on all have the same.
      root ??= survivor.root.value.serial;
      expect(survivor.root.value.serial).toBe(root);
      for (const chain of chains) expect(believed(chain, survivor)).toBe(true);
      chains.splice(0, Math.max(chains.length - 20, 0));
    }),
    { numRuns: 100 },
  );
  expect(serials.size).toBeGreaterThan(100);
});
