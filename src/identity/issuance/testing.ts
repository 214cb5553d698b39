import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { nodeProvider } from '#handshake/crypto';
import { ISSUANCE, RpcChannel, RpcServer } from '#rpc';
import { type Clock, ok, type Result, Scope, silentLog, systemClock, Watch } from '#runtime';
import {
  type Attestation,
  type AuditRecord,
  CertificateAuthority,
  parseIssuableRequest,
} from '../ca/index.ts';
import { type SpiffeId, serviceAccountId } from '../spiffe-id.ts';
import { makeKeys, MemoryLedger } from '../testing/index.ts';
import { type SpiffePeer, spiffeVerifier } from '../verifier.ts';
import { WorkloadAgent, type WorkloadCredential } from '../workload/index.ts';
import { createCertificateRequest } from '../x509/certificate-request.ts';
import type { PodIdentity } from '../x509/extensions/pod-identity.ts';
import type { AttestedPod, Attestor } from './attestor.ts';
import { RemoteIssuance } from './client.ts';
import type { IssuanceRates } from './limits.ts';
import { refuseIssuance } from './refuse.ts';
import type { Revocation } from './revocation.ts';
import { type IssuanceOutcome, IssuanceService } from './service.ts';

export const CONTROLLER = serviceAccountId('mesh.test', 'sallyport-system', 'sallyport-controller');
export const WEB = serviceAccountId('mesh.test', 'shop', 'web');
export const POD: PodIdentity = {
  namespace: 'shop',
  namespaceUid: '',
  serviceAccountName: 'web',
  serviceAccountUid: 'sa-uid',
  podName: 'web-0',
  podUid: 'pod-uid',
  nodeName: 'node-1',
  nodeUid: 'node-uid',
};

/** A controller that issues, over gRPC on a port of its own, and the sidecars that ask it. */
export class TestIssuance {
  readonly scope: Scope;
  readonly attestor = new FakeAttestor();
  readonly ledger = new MemoryLedger();
  readonly revocations = new Watch<readonly Revocation[]>([]);
  readonly audit: AuditRecord[] = [];
  readonly outcomes: IssuanceOutcome[] = [];
  /** Real timers, a date that tests move, and a monotonic time that they may move on. */
  readonly clock: Clock = {
    ...systemClock,
    now: () => this.now,
    monotonic: () => systemClock.monotonic() + this.#skipped,
  };
  readonly #began = systemClock.monotonic();
  #skipped = 0;
  now = Date.now();
  /** Where sidecars believe the controller to be. */
  port = 0;
  readonly #directory: string;
  readonly #failures: unknown[] = [];
  readonly logged: Record<string, unknown>[] = [];
  #authority!: CertificateAuthority;
  #controller!: WorkloadAgent;

  private constructor(directory: string) {
    this.#directory = directory;
    this.scope = new Scope('test', (error) => this.#failures.push(error));
  }

  /** `token` is that of the pod WEB. */
  static async start(): Promise<TestIssuance> {
    const rig = new TestIssuance(await mkdtemp(join(tmpdir(), 'sallyport-issuance-')));
    rig.attestor.tokens.set('token', {
      identity: WEB,
      pod: POD,
      token: { id: 'jti-1', expiresAt: rig.now + 3_600_000 },
      run: 1,
    });
    rig.#authority = await CertificateAuthority.open({
      directory: join(rig.#directory, 'ca'),
      trustDomain: 'mesh.test',
      clock: rig.clock,
      log: silentLog,
      audit: (record) => void rig.audit.push(record),
    });
    rig.scope.defer(() => rig.#authority.close());
    await rig.startServer();
    return rig;
  }

  async end(): Promise<void> {
    await this.scope.close();
    await rm(this.#directory, { recursive: true });
    expect(this.#failures).toEqual([]);
  }

  /** Another server of the same authority, which sidecars ask from now on. */
  async startServer(rates: Partial<IssuanceRates> = {}): Promise<void> {
    const service = new IssuanceService({
      authority: this.#authority,
      attestor: this.attestor,
      revocations: this.revocations,
      ledger: this.ledger,
      clock: this.clock,
      log: { ...silentLog, warn: (_message, fields = {}) => this.logged.push(fields) },
      rates,
      onOutcome: (outcome) => this.outcomes.push(outcome),
    });
    const controller = this.#agentOf(CONTROLLER);
    this.#controller = controller;
    await controller.whenReady(this.scope.signal);
    const server = await RpcServer.listen<SpiffePeer>(this.scope, {
      host: '127.0.0.1',
      port: 0,
      tls: () => ({
        crypto: nodeProvider,
        credential: controller.credentials.value!.credential,
        clientAuthentication: { mode: 'request', required: false, verifier: this.#verifier() },
      }),
      services: (connection) => [service.serve(connection)],
      clock: this.clock,
      log: silentLog,
    });
    this.port = server.port;
  }

  /** A certificate straight from the authority. */
  credentialOf(identity: SpiffeId): Promise<WorkloadCredential> {
    return this.#agentOf(identity).whenReady(this.scope.signal);
  }

  /** As the service has one made, whatever was attested. */
  issueFor(request: Uint8Array, attestation: Attestation): ReturnType<CertificateAuthority['issueFor']> {
    const parsed = parseIssuableRequest(request);
    if (!parsed.ok) throw new Error(parsed.error.detail);
    return this.#authority.issueFor(parsed.value, WEB, attestation);
  }

  /** Time that passes; the controller renews its own certificate in it. */
  async pass(milliseconds: number): Promise<void> {
    this.now += milliseconds;
    // A renewal that has just answered is over in the next turn only; before that, a new one would join it.
    await new Promise((resolve) => setImmediate(resolve));
    await this.#controller.renewNow();
  }

  /** A sidecar: its agent, and whatever it asks the controller. */
  sidecar(
    identity: SpiffeId = WEB,
    token: () => Result<string, string> = () => ok('token'),
  ): { readonly agent: WorkloadAgent; readonly issuance: RemoteIssuance } {
    const issuance: RemoteIssuance = new RemoteIssuance({
      target: { host: '127.0.0.1', port: this.port },
      controller: CONTROLLER,
      bundle: this.#authority.bundle,
      readToken: () => Promise.resolve(token()),
      current: () => agent.credentials.value,
      crypto: nodeProvider,
      clock: this.clock,
    });
    const agent: WorkloadAgent = new WorkloadAgent({
      identity,
      issuance,
      bundle: this.#authority.bundle,
      clock: this.clock,
      crypto: nodeProvider,
      log: silentLog,
      random: () => 0,
    });
    agent.run(this.scope);
    return { agent, issuance };
  }

  /** What the server answers to a request of one's own making: `issued`, or the code of its reason. */
  async ask(
    request: { csr: Uint8Array; token?: string },
    credential?: WorkloadCredential['credential'],
  ): Promise<string> {
    const channel = new RpcChannel({
      target: { host: '127.0.0.1', port: this.port },
      tls: () => ({
        crypto: nodeProvider,
        verifier: this.#verifier(),
        ...(credential === undefined ? {} : { credential }),
      }),
      clock: this.clock,
    });
    const options = { timeoutMilliseconds: 5000, signal: this.scope.signal };
    const certificateRequest = Buffer.from(request.csr);
    const answer =
      request.token === undefined
        ? await channel.unary(ISSUANCE.Renew, { certificateRequest }, options)
        : await channel.unary(ISSUANCE.Issue, { certificateRequest, token: request.token }, options);
    channel.close();
    if (answer.ok) return 'issued';
    return answer.error.remoteCode ?? `${answer.error.reason.code}: ${answer.error.detail}`;
  }

  /** The same over one connection that shows no certificate, for a moment's many requests. */
  caller(): (request: { csr: Uint8Array; token?: string }) => Promise<string> {
    let channel: RpcChannel | undefined;
    let left = 0;
    return async ({ csr: request, token }) => {
      // A connection without a certificate doesn't last.
      if (left === 0) {
        channel?.close();
        channel = new RpcChannel({
          target: { host: '127.0.0.1', port: this.port },
          tls: () => ({ crypto: nodeProvider, verifier: this.#verifier() }),
          clock: this.clock,
        });
        left = PER_CONNECTION;
        const open = channel;
        this.scope.defer(() => open.close());
      }
      left -= 1;
      const options = { timeoutMilliseconds: 60_000, signal: this.scope.signal };
      const certificateRequest = Buffer.from(request);
      const answer =
        token === undefined
          ? await channel!.unary(ISSUANCE.Renew, { certificateRequest }, options)
          : await channel!.unary(ISSUANCE.Issue, { certificateRequest, token }, options);
      if (answer.ok) return 'issued';
      return answer.error.remoteCode ?? `${answer.error.reason.code}: ${answer.error.detail}`;
    };
  }

  /** Lets the monotonic clock leap. */
  skip(milliseconds: number): void {
    this.#skipped += milliseconds;
  }

  /** On the monotonic clock, since the start. */
  elapsedSeconds(): number {
    return (this.clock.monotonic() - this.#began) / 1000;
  }

  /** The refusal is in the log and in what metrics are made of, with the same code. */
  expectTold(code: string): void {
    expect(this.logged.at(-1)).toMatchObject({ reason: code, remoteAddress: '127.0.0.1' });
    expect(this.outcomes.at(-1)?.refusal?.reason.code).toBe(code);
  }

  #verifier(): ReturnType<typeof spiffeVerifier> {
    return spiffeVerifier({ bundle: this.#authority.bundle, clock: this.clock });
  }

  #agentOf(identity: SpiffeId): WorkloadAgent {
    const agent = new WorkloadAgent({
      identity,
      issuance: { issue: (request) => this.#authority.issue(request, identity) },
      bundle: this.#authority.bundle,
      clock: this.clock,
      crypto: nodeProvider,
      log: silentLog,
      random: Math.random,
    });
    agent.run(this.scope);
    return agent;
  }
}

/** So many requests of a slow machine are done before an anonymous connection is ended. */
const PER_CONNECTION = 50;

/** Tokens are texts here; the attestor of Kubernetes is tested in src/controller. */
class FakeAttestor implements Attestor {
  readonly tokens = new Map<string, AttestedPod>();
  readonly gone = new Set<string>();

  attest(token: string): ReturnType<Attestor['attest']> {
    const known = this.tokens.get(token);
    return Promise.resolve(known === undefined ? refuseIssuance('token-refused', '') : ok(known));
  }

  confirm(pod: PodIdentity): ReturnType<Attestor['confirm']> {
    return this.gone.has(pod.podUid) ? refuseIssuance('pod-unknown', pod.podUid) : ok(undefined);
  }
}

export function csr(keys = makeKeys('ec-p256')): Uint8Array {
  return createCertificateRequest(keys);
}
