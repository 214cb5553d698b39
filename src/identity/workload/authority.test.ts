import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeProvider } from '#handshake/crypto';
import { Scope, silentLog } from '#runtime';
import { FakeClock } from '#runtime/testing';
import { CertificateAuthority } from '../ca/authority.ts';
import { serviceAccountId } from '../spiffe-id.ts';
import { spiffeVerifier } from '../verifier.ts';
import { WorkloadAgent } from './agent.ts';

const HOUR = 3_600_000;
const ID = serviceAccountId('mesh.test', 'shop', 'web');

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sallyport-mesh-'));
});
afterEach(async () => rm(directory, { recursive: true }));

describe('a workload and a real authority', () => {
  it('rotate leaf and intermediate while peers believe every credential that is shown', async () => {
    const clock = new FakeClock();
    const failures: unknown[] = [];
    const scope = new Scope('mesh', (error) => failures.push(error));
    const authority = await CertificateAuthority.open({
      directory: join(directory, 'ca'),
      trustDomain: 'mesh.test',
      clock,
      log: silentLog,
      intermediateLifetimeMilliseconds: 24 * HOUR,
    });
    authority.run(scope);
    const agent = new WorkloadAgent({
      identity: ID,
      issuance: { issue: (csr) => authority.issue(csr, ID) },
      bundle: authority.bundle,
      clock,
      crypto: nodeProvider,
      log: silentLog,
      random: Math.random,
    });
    agent.run(scope);
    await agent.whenReady(AbortSignal.timeout(10_000));
    const peer = spiffeVerifier({
      bundle: authority.bundle,
      clock,
      accept: (id) => id.toString() === ID.toString(),
    });
    const issuers = new Set<string>();
    const serials = new Set<string>();
    const look = (): void => {
      const shown = agent.credentials.value;
      if (shown === undefined) throw new Error(`no credential: ${agent.failures.value.last?.detail}`);
      for (const role of ['client', 'server'] as const) {
        expect(peer.verify({ role, chain: shown.credential.chain })).toMatchObject({ ok: true });
      }
      issuers.add(shown.issuer.serial);
      serials.add(shown.serial);
    };
    look();
    for (let rotation = 0; rotation < 5; rotation += 1) {
      const before = agent.credentials.value;
      await authority.rotateIntermediate();
      // The leaf of the intermediate before is still shown, and still good.
      look();
      expect((await agent.renewNow()).ok).toBe(true);
      look();
      expect(agent.credentials.value?.issuer).toEqual({
        serial: authority.intermediate.value.serial,
        notAfter: authority.intermediate.value.notAfter,
      });
      expect(agent.credentials.value?.serial).not.toBe(before?.serial);
    }
    expect([issuers.size, serials.size]).toEqual([6, 6]);
    // Then by schedule: the intermediate is replaced after 16 hours. Files and signatures take real time; were the clock
    // to run on meanwhile, requests would time out by it. A leaf is renewed from 1.8 hours on.
    const { serial } = authority.intermediate.value;
    for (let renewal = 0; renewal < 9; renewal += 1) {
      const before = agent.credentials.value;
      await clock.advance(1.75 * HOUR);
      while (agent.credentials.value === before) {
        await clock.advance(10_000);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      look();
    }
    await expect.poll(() => authority.intermediate.value.serial).not.toBe(serial);
    expect((await agent.renewNow()).ok).toBe(true);
    look();
    expect(issuers.size).toBe(7);
    await scope.close();
    expect(failures).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  }, 60_000);
});
