import { X509Certificate } from 'node:crypto';
import { nodeProvider } from '#handshake/crypto';
import { parseSpiffeId, serviceAccountId, type SpiffeId, type TrustBundle } from '#identity';
import { makeAuthority } from '#identity/testing';
import type { WorkloadCredential } from '#identity/workload';
import { EMBEDDED_DEFAULTS, type PolicyDefaults, type PolicySet, readPolicies } from '#policy';
import { type Clock, Scope, systemClock, Watch } from '#runtime';
import { type HandshakeRecord, Telemetry } from '#telemetry';
import type { OutboundConfig, SidecarConfig } from '../config.ts';
import type { SidecarLimits } from '../limits.ts';
import type { Endpoint } from '../listen/endpoint.ts';
import type { MeshedCallee } from '../outbound/endpoint-set.ts';
import { Sidecar } from '../sidecar.ts';
import { keptLog, type Line } from './kept-log.ts';

export const TRUST_DOMAIN = 'mesh.test';
const LOOPBACK: Endpoint = { host: '127.0.0.1', port: 0 };
const HOUR = 3_600_000;

export interface TestSidecar {
  readonly sidecar: Sidecar;
  readonly identity: SpiffeId;
  readonly credentials: Watch<WorkloadCredential | undefined>;
  readonly lines: readonly Line[];
  readonly scope: Scope;
  /** Lines about connections that are over. */
  connections(): readonly Line[];
  /** Where the application of this service calls `service`. */
  calls(service: string): Endpoint;
}

export interface TestSidecarOptions {
  readonly application?: Endpoint;
  readonly port?: number;
  readonly calls?: Readonly<Record<string, OutboundConfig['route']>>;
  readonly limits?: Partial<SidecarLimits>;
  readonly credential?: 'none' | { readonly notAfter: number };
  readonly override?: Partial<SidecarConfig>;
}

/** An authority, policies and sidecars with real certificates in one process, on loopback. */
export class TestMesh {
  readonly scope = new Scope('test mesh', (error) => this.errors.push(error));
  readonly errors: unknown[] = [];
  readonly authority = makeAuthority({ trustDomain: TRUST_DOMAIN });
  readonly bundle = new Watch<TrustBundle>(this.authority.bundle);
  readonly policies: Watch<PolicySet>;
  readonly telemetry: Telemetry;
  readonly clock: Clock;

  constructor(
    options: { readonly policy?: string; readonly defaults?: Partial<PolicyDefaults>; clock?: Clock } = {},
  ) {
    this.clock = options.clock ?? systemClock;
    this.telemetry = Telemetry.create({ clock: this.clock, log: keptLog(), environment: {} });
    this.policies = new Watch(policySet(options.policy ?? ALLOW_ALL, 1, options.defaults));
  }

  /** Puts other policies in force. */
  policy(text: string, defaults?: Partial<PolicyDefaults>, epoch = this.policies.value.epoch + 1): void {
    this.policies.set(policySet(text, epoch, defaults));
  }

  handshakes(service: string): HandshakeRecord[] {
    return this.telemetry.recent().filter((record) => record.service === service);
  }

  /** A route to another sidecar of this mesh. */
  to({ sidecar, identity }: TestSidecar, port = 80, identities = [identity]): () => MeshedCallee {
    const { inbound } = sidecar.addresses;
    if (inbound === undefined) throw new Error('it has no inbound');
    return () => ({ kind: 'meshed', address: inbound, port, identities });
  }

  async start(service: string, options: TestSidecarOptions = {}): Promise<TestSidecar> {
    const scope = this.scope.child(service);
    const identity = serviceAccountId(TRUST_DOMAIN, 'shop', service);
    const credentials = new Watch<WorkloadCredential | undefined>(undefined);
    const { credential = { notAfter: this.clock.now() + HOUR } } = options;
    if (credential !== 'none') credentials.set(this.issue(identity.toString(), credential.notAfter));
    const log = keptLog();
    const calls = Object.entries(options.calls ?? {});
    const sidecar = await Sidecar.start(scope, {
      service,
      workload: { namespace: 'shop', serviceAccount: service, name: service, labels: {} },
      identity,
      credentials,
      bundle: this.bundle,
      policies: this.policies,
      telemetry: this.telemetry,
      log,
      clock: this.clock,
      crypto: nodeProvider,
      limits: { drainGraceMilliseconds: 0, lingerMilliseconds: 500, ...options.limits },
      ...(options.application === undefined
        ? {}
        : { inbound: { listen: LOOPBACK, application: options.application, port: options.port ?? 80 } }),
      outbound: calls.map(([name, route]) => ({ service: name, listen: LOOPBACK, route })),
      admin: LOOPBACK,
      ...options.override,
    });
    return {
      sidecar,
      identity,
      credentials,
      scope,
      lines: log.lines,
      connections: () => log.lines.filter(({ message }) => message === 'connection'),
      calls(name) {
        const endpoint = sidecar.addresses.outbound.get(name);
        if (endpoint === undefined) throw new Error(`${service} does not call ${name}`);
        return endpoint;
      },
    };
  }

  /** A certificate for `spiffeId` and what a workload agent would publish with it. */
  issue(spiffeId: string, notAfter = this.clock.now() + HOUR): WorkloadCredential {
    const id = parseSpiffeId(spiffeId);
    if (!id.ok) throw new Error(id.error);
    const now = this.clock.now();
    const notBefore = Math.min(now, notAfter) - HOUR;
    const leaf = this.authority.makeLeaf({ spiffeId, now, notBefore, notAfter });
    return {
      credential: leaf.credential,
      spiffeId: id.value,
      serial: new X509Certificate(leaf.chain[0]!).serialNumber.toLowerCase(),
      notBefore,
      notAfter,
      issuer: { serial: '01', notAfter: now + 24 * HOUR },
      renewals: 0,
    };
  }

  /** Ends everything; throws what went wrong where nobody waited for it. */
  async close(): Promise<void> {
    await this.scope.close();
    await this.telemetry.shutdown();
    if (this.errors.length > 0) throw this.errors[0];
  }
}

/** Every authenticated service may call every other. */
export const ALLOW_ALL = `
apiVersion: mesh.sallyport.dev/v1alpha1
kind: MeshPolicy
metadata: { name: all, namespace: shop }
spec:
  action: Allow
  rules:
    - from: [{ namespaces: [shop] }]
`;

export function allow(callers: readonly string[]): string {
  const accounts = callers.map((name) => `{ name: ${name}, namespace: shop }`).join(', ');
  return ALLOW_ALL.replace('namespaces: [shop]', `serviceAccounts: [${accounts}]`).replace(
    'name: all',
    'name: some',
  );
}

export function tls(mode: 'Strict' | 'Permissive' | 'Disabled'): string {
  return `
---
apiVersion: mesh.sallyport.dev/v1alpha1
kind: MeshTLS
metadata: { name: mode, namespace: shop }
spec: { mode: ${mode} }
`;
}

export function policySet(text: string, epoch: number, defaults: Partial<PolicyDefaults> = {}): PolicySet {
  const context = {
    defaults: { ...EMBEDDED_DEFAULTS, ...defaults },
    trustDomain: TRUST_DOMAIN,
    rootNamespace: 'mesh',
  };
  const { set, problems } = readPolicies([{ file: 'policies.yaml', text }], context, epoch, []);
  if (set === undefined) throw new Error(JSON.stringify(problems));
  return set;
}
