import { verify } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Refusal } from '#handshake';
import { nodeProvider } from '#handshake/crypto';
import { err, type Fields, type Log, ok, type Result, Scope, silentLog, toHex, Watch } from '#runtime';
import { FakeClock } from '#runtime/testing';
import type { TrustBundle } from '../bundle.ts';
import type { IssuedCertificate } from '../issued-certificate.ts';
import { IDENTITY_REASONS } from '../reasons.ts';
import { serviceAccountId } from '../spiffe-id.ts';
import { type LeafOptions, makeAuthority, makeKeys, type TestAuthority } from '../testing/index.ts';
import { parseCertificateRequest } from '../x509/certificate-request.ts';
import { parseCertificate } from '../x509/certificate.ts';
import { WorkloadAgent, type WorkloadAgentOptions } from './agent.ts';
import type { WorkloadCredential } from './credentials.ts';

const NOW = Date.UTC(2026, 5, 1);
const SECOND = 1000;
const HOUR = 3600 * SECOND;
const ID = serviceAccountId('mesh.test', 'shop', 'web');

/** An authority whose answers a test decides. */
class FakeIssuance {
  readonly clock: FakeClock;
  authority: TestAuthority;
  asked = 0;
  /** What differs from a proper leaf; or another answer altogether. */
  leaf: LeafOptions = {};
  answer: (() => Promise<Result<IssuedCertificate, Refusal>>) | undefined;
  readonly keys: string[] = [];

  constructor(clock: FakeClock, authority: TestAuthority) {
    this.clock = clock;
    this.authority = authority;
  }

  async issue(csr: Uint8Array): Promise<Result<IssuedCertificate, Refusal>> {
    this.asked += 1;
    const request = parseCertificateRequest(csr);
    if (!request.ok) throw new Error(request.error.what);
    this.keys.push(toHex(request.value.publicKey.spki));
    if (this.answer !== undefined) return this.answer();
    // The builder takes a pair, but signs nothing with the leaf's own key, which only the agent holds.
    const keys = { ...makeKeys('ec-p256'), publicKey: request.value.publicKey.key };
    const leaf = { spiffeId: ID.toString(), now: this.clock.now(), keys, ...this.leaf };
    const { chain } = this.authority.makeLeaf(leaf);
    const parsed = parseCertificate(chain[0]!);
    if (!parsed.ok) throw new Error(parsed.error.what);
    const { serial, notBefore, notAfter } = parsed.value;
    return ok({ chain, serial, notBefore, notAfter });
  }
}

let clock: FakeClock;
let issuance: FakeIssuance;
let bundle: Watch<TrustBundle>;
let scope: Scope;
const failures: unknown[] = [];

beforeEach(() => {
  clock = new FakeClock(NOW);
  // Roots outlive these tests.
  const lasting = { notAfter: NOW + 400 * 24 * HOUR };
  issuance = new FakeIssuance(clock, makeAuthority({ now: NOW, root: lasting, intermediates: [lasting] }));
  bundle = new Watch(issuance.authority.bundle);
  scope = new Scope('test', (error) => failures.push(error));
});
afterEach(async () => {
  await scope.close();
  expect(clock.pendingTimers).toBe(0);
  expect(failures.splice(0)).toEqual([]);
});

function start(options: Partial<WorkloadAgentOptions> = {}): WorkloadAgent {
  const base = {
    identity: ID,
    issuance,
    bundle,
    clock,
    crypto: nodeProvider,
    log: silentLog,
    random: () => 0,
  };
  const agent = new WorkloadAgent({ ...base, ...options });
  agent.run(scope);
  return agent;
}

const ready = (agent: WorkloadAgent): Promise<WorkloadCredential> =>
  agent.whenReady(AbortSignal.timeout(10_000));

describe('WorkloadAgent', () => {
  it('gets a credential that signs with the key of its certificate', async () => {
    const agent = start();
    expect(agent.credentials.value).toBeUndefined();
    const first = await ready(agent);
    expect(first).toMatchObject({
      renewals: 0,
      notAfter: NOW + 6 * HOUR,
      issuer: { notAfter: NOW + 400 * 24 * HOUR },
    });
    expect(first.spiffeId.toString()).toBe(ID.toString());
    expect(first.credential.signer.schemes).toEqual(['ecdsa_secp256r1_sha256']);
    expect(first.credential.chain).toHaveLength(2);
    const leaf = parseCertificate(first.credential.chain[0]!);
    const message = Buffer.from('CertificateVerify');
    const signature = await first.credential.signer.sign('ecdsa_secp256r1_sha256', message);
    expect(leaf.ok && verify('sha256', message, leaf.value.publicKey.key, signature)).toBe(true);
    expect(await ready(agent)).toBe(first);
  });

  it('renews with a fresh key each time, at a third of life, for days', async () => {
    const agent = start();
    await ready(agent);
    const seen: number[] = [];
    agent.credentials.subscribe((credential) => seen.push(credential?.renewals ?? -1));
    await clock.advance(4 * 24 * HOUR);
    expect(seen).toEqual(Array.from({ length: 48 }, (_, index) => index + 1));
    expect(new Set(issuance.keys).size).toBe(49);
    expect(agent.credentials.value?.notAfter).toBe(clock.now() + 6 * HOUR);
  }, 60_000);

  it('renews earlier when asked to', async () => {
    const agent = start({ renewEveryMilliseconds: 5 * SECOND });
    await ready(agent);
    await clock.advance(5 * SECOND - 1);
    expect(issuance.asked).toBe(1);
    await clock.advance(1);
    await expect.poll(() => agent.credentials.value?.renewals).toBe(1);
  });

  it('shares one renewal among all who ask, and goes on with its schedule', async () => {
    const agent = start();
    await ready(agent);
    await clock.advance(HOUR);
    const [a, b] = await Promise.all([agent.renewNow(), agent.renewNow()]);
    expect(a.ok && b.ok && a.value === b.value && a.value.renewals === 1).toBe(true);
    expect(issuance.asked).toBe(2);
    // The first schedule would have renewed an hour from here; the new one does in two.
    await clock.advance(2 * HOUR - 1);
    expect(issuance.asked).toBe(2);
    await clock.advance(1);
    await expect.poll(() => issuance.asked).toBe(3);
  });

  it('keeps the last good certificate to its last second, then shows none, then recovers', async () => {
    const agent = start();
    const first = await ready(agent);
    issuance.answer = () => Promise.reject(new Error('connection refused'));
    await clock.advance(6 * HOUR);
    expect(agent.credentials.value).toBe(first);
    expect(agent.failures.value).toMatchObject({
      last: { reason: { code: 'issuance-failed' }, detail: 'connection refused' },
    });
    expect(agent.failures.value.count).toBeGreaterThan(100);
    await clock.advance(1);
    expect(agent.credentials.value).toBeUndefined();
    issuance.answer = undefined;
    await clock.advance(30 * SECOND);
    await expect.poll(() => agent.credentials.value?.renewals).toBe(1);
    expect(agent.failures.value).toEqual({ count: 0, last: undefined });
  }, 60_000);

  it('asks again after growing pauses with jitter', async () => {
    issuance.answer = () =>
      Promise.resolve(err({ reason: IDENTITY_REASONS['authority-closed'], detail: 'x' }));
    const agent = start({ random: () => 0.5 });
    const times: number[] = [];
    agent.failures.subscribe(() => times.push(clock.now() - NOW));
    await clock.advance(120 * SECOND);
    const pauses = times.slice(1).map((time, index) => time - times[index]!);
    // Half of the jitter's half is taken off 500 ms, doubled up to 30 s.
    expect(pauses.slice(0, 9)).toEqual([375, 750, 1500, 3000, 6000, 12_000, 22_500, 22_500, 22_500]);
  });

  it('asks the sooner the less is left of the certificate', async () => {
    issuance.leaf = { notAfter: NOW + 120 * SECOND };
    const agent = start({ random: () => 0 });
    await ready(agent);
    issuance.answer = () =>
      Promise.resolve(err({ reason: IDENTITY_REASONS['authority-closed'], detail: 'x' }));
    const times: number[] = [];
    agent.failures.subscribe(() => times.push(clock.now() - NOW));
    await clock.advance(120 * SECOND);
    for (const [index, time] of times.slice(1).entries()) {
      const before = times[index] ?? 0;
      expect(time - before).toBeLessThan(Math.max((120 * SECOND - before) / 16, 500) + 1);
    }
    expect(times.at(-1)).toBeGreaterThan(119 * SECOND);
  });

  it('gives up on an authority that does not answer, and asks again', async () => {
    issuance.answer = () => new Promise(() => undefined);
    const agent = start();
    await expect.poll(() => issuance.asked).toBe(1);
    await clock.advance(30 * SECOND);
    await expect.poll(() => agent.failures.value.last?.detail).toBe('no answer within 30 s');
    issuance.answer = undefined;
    await clock.advance(SECOND);
    expect((await ready(agent)).renewals).toBe(0);
  });

  it.each<[string, LeafOptions, string]>([
    [
      'names another workload',
      { spiffeId: 'spiffe://mesh.test/ns/shop/sa/admin' },
      'it names another workload',
    ],
    ['is over another key', { keys: makeKeys('ec-p256') }, 'over another key'],
    ['has ended', { notAfter: NOW - SECOND }, 'certificate-expired'],
    ['is not valid yet', { notBefore: NOW + SECOND }, 'certificate-not-yet-valid'],
    [
      'serves no clients',
      { extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'] },
      'as a client it would be refused with missing-extended-key-usage',
    ],
    [
      'serves no servers',
      { extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'] },
      'as a server it would be refused with missing-extended-key-usage',
    ],
  ])('puts no certificate to use that %s', async (_, leaf, problem) => {
    issuance.leaf = leaf;
    const agent = start();
    await expect.poll(() => agent.failures.value.count).toBe(1);
    expect(agent.failures.value.last?.reason.code).toBe('credential-unusable');
    expect(agent.failures.value.last?.detail).toContain(problem);
    expect(agent.credentials.value).toBeUndefined();
  });

  it('renews when a new bundle no longer vouches for its certificate, and keeps it meanwhile', async () => {
    const agent = start();
    const first = await ready(agent);
    const other = makeAuthority({ now: NOW });
    bundle.set(other.bundle);
    await expect.poll(() => agent.failures.value.count).toBe(1);
    expect(agent.credentials.value).toBe(first);
    expect(agent.failures.value.last?.detail).toContain('unknown-authority');
    issuance.authority = other;
    await clock.advance(SECOND);
    await expect.poll(() => agent.credentials.value?.renewals).toBe(1);
  });

  it.each([
    ['clients', '1.3.6.1.5.5.7.3.1', 'as a client'],
    ['servers', '1.3.6.1.5.5.7.3.2', 'as a server'],
  ])('renews when a new bundle vouches for no %s', async (_, purpose, problem) => {
    const agent = start();
    const first = await ready(agent);
    const { keys } = issuance.authority.root;
    const root = { keys, notAfter: NOW + 400 * 24 * HOUR };
    bundle.set(makeAuthority({ now: NOW, root: { ...root, extendedKeyUsage: [purpose] } }).bundle);
    await expect.poll(() => agent.failures.value.count).toBe(1);
    expect(agent.credentials.value).toBe(first);
    expect(agent.failures.value.last?.detail).toContain(
      `${problem} it would be refused with missing-extended-key-usage`,
    );
    bundle.set(makeAuthority({ now: NOW, root }).bundle);
    await clock.advance(SECOND);
    await expect.poll(() => agent.credentials.value?.renewals).toBe(1);
  });

  it('keeps its certificate when a new bundle still vouches for it', async () => {
    const agent = start();
    await ready(agent);
    bundle.set({ ...bundle.value });
    await clock.advance(SECOND);
    expect(issuance.asked).toBe(1);
  });

  it('notices after a long sleep of the machine, when timers stood still', async () => {
    const agent = start();
    await ready(agent);
    // The wall clock jumps; the timers that were set do not.
    const jump = 24 * HOUR;
    const now = clock.now.bind(clock);
    clock.now = () => now() + jump;
    await clock.advance(30 * SECOND);
    await expect.poll(() => agent.credentials.value?.renewals).toBe(1);
    expect(agent.credentials.value?.notAfter).toBeGreaterThan(NOW + jump);
  });

  it('says in the log what to do when renewal fails, and nothing secret', async () => {
    const lines: [string, Fields | undefined][] = [];
    const log: Log = { ...silentLog, warn: (message, fields) => lines.push([message, fields]) };
    issuance.answer = () => Promise.reject(new Error('connection refused'));
    const agent = start({ log });
    await expect.poll(() => agent.failures.value.count).toBe(1);
    expect(lines[0]?.[1]).toMatchObject({
      identity: ID.toString(),
      reason: 'issuance-failed',
      detail: 'connection refused',
      next: IDENTITY_REASONS['issuance-failed'].next,
    });
  });

  it('stops waiting when told to, and does not renew when it does not run', async () => {
    issuance.answer = () => new Promise(() => undefined);
    const agent = start();
    const abort = new AbortController();
    const waiting = agent.whenReady(abort.signal);
    abort.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(agent.whenReady(abort.signal)).rejects.toThrow('enough');
    await scope.close();
    expect(await agent.renewNow()).toMatchObject({
      ok: false,
      error: { reason: { code: 'issuance-failed' } },
    });
  });
});
