import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CryptoProvider, openOpensslProvider } from '#handshake/crypto';
import { createTrustBundle, serviceAccountId, type SpiffeId, type TrustBundle } from '#identity';
import { CertificateAuthority } from '#identity/ca';
import { WorkloadAgent } from '#identity/workload';
import { EMBEDDED_DEFAULTS, type WatchedPolicies, watchPolicies } from '#policy';
import { type Clock, jsonLog, Scope, systemClock, Watch } from '#runtime';
import { type Destination, type Endpoint, Sidecar, type SidecarLimits } from '#sidecar';
import { type HandshakeRecord, Telemetry } from '#telemetry';
import { KeptSpans } from './kept-spans.ts';
import { temporaryFolder } from './temporary.ts';

/** As the product's default. */
const usualCrypto = await openOpensslProvider((difference) => {
  throw new Error(`libcrypto differs from node:crypto in ${difference}`);
});

const TRUST_DOMAIN = 'mesh.test';
const NAMESPACE = 'shop';
const LOOPBACK: Endpoint = { host: '127.0.0.1', port: 0 };

export interface ServiceOptions {
  /** Where the service itself listens; without it, it only calls. */
  readonly application?: Endpoint;
  /** The port that policies and callers name. Default 8080. */
  readonly port?: number;
  /** Names of services of this mesh, or where else a name leads. */
  readonly calls?: readonly string[] | Readonly<Record<string, () => Destination>>;
  readonly limits?: Partial<SidecarLimits>;
}

export interface MeshOptions {
  /** In the order in which they are started: callees first. */
  readonly services: Readonly<Record<string, ServiceOptions>>;
  /** Files of the policy folder, by name. Default: everybody in the namespace may call everybody. */
  readonly policies?: Readonly<Record<string, string>>;
  readonly rotateEveryMilliseconds?: number;
  /** Roots (DER) that are believed beside the mesh's own, so that a test can hold certificates of every kind. */
  readonly alsoTrust?: readonly Uint8Array[];
  readonly clock?: Clock;
  readonly leafLifetimeMilliseconds?: number;
  /** Key exchange groups are made of these. Default: all that the provider has. */
  readonly kems?: readonly (keyof CryptoProvider['kems'])[];
  /** The OTEL_* variables. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Handshake records that stay in memory. Default: as a mesh has it. */
  readonly keptHandshakes?: number;
  /** Default `info`: a line for every connection. */
  readonly logLevel?: 'info' | 'warn';
}

export type Line = Readonly<Record<string, unknown>> & { readonly message: string };

export class MeshService {
  readonly name: string;
  readonly identity: SpiffeId;
  readonly sidecar: Sidecar;
  readonly agent: WorkloadAgent;
  readonly #lines: string[];

  constructor(parts: {
    name: string;
    identity: SpiffeId;
    sidecar: Sidecar;
    agent: WorkloadAgent;
    lines: string[];
  }) {
    this.name = parts.name;
    this.identity = parts.identity;
    this.sidecar = parts.sidecar;
    this.agent = parts.agent;
    this.#lines = parts.lines;
  }

  /** Where other sidecars reach it. */
  get inbound(): Endpoint {
    const { inbound } = this.sidecar.addresses;
    if (inbound === undefined) throw new Error(`${this.name} has no inbound`);
    return inbound;
  }

  /** Where its application calls `service`. */
  calls(service: string): Endpoint {
    const endpoint = this.sidecar.addresses.outbound.get(service);
    if (endpoint === undefined) throw new Error(`${this.name} does not call ${service}`);
    return endpoint;
  }

  /** Its log so far, parsed; with `message`, the lines of that message only. */
  lines(message?: string): Line[] {
    const lines = this.#lines.map((line) => JSON.parse(line) as Line);
    return message === undefined ? lines : lines.filter((line) => line.message === message);
  }

  /** From here on the log is empty again. */
  forgetLines(): void {
    this.#lines.length = 0;
  }

  /** The page that Prometheus would scrape. */
  metrics(): Promise<string> {
    return this.#admin('/metrics').then((response) => response.text());
  }

  dump(): Promise<Record<string, unknown>> {
    return this.#admin('/dump').then((response) => response.json() as Promise<Record<string, unknown>>);
  }

  async #admin(path: string): Promise<Response> {
    const { host, port } = this.sidecar.addresses.admin;
    // Not kept alive: tests count descriptors.
    const response = await fetch(`http://${host}:${port}${path}`, { headers: { connection: 'close' } });
    if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  }
}

/** A whole mesh in this process: a real authority, agents, policies from files, sidecars, telemetry. */
export class Mesh {
  readonly authority: CertificateAuthority;
  readonly telemetry: Telemetry;
  readonly spans: KeptSpans;
  readonly policies: WatchedPolicies;
  readonly policyFolder: string;
  readonly #bundle: Watch<TrustBundle>;
  readonly #services: ReadonlyMap<string, MeshService>;
  readonly #scope: Scope;
  readonly #errors: unknown[];

  private constructor(parts: {
    authority: CertificateAuthority;
    telemetry: Telemetry;
    spans: KeptSpans;
    policies: WatchedPolicies;
    policyFolder: string;
    services: ReadonlyMap<string, MeshService>;
    bundle: Watch<TrustBundle>;
    scope: Scope;
    errors: unknown[];
  }) {
    this.authority = parts.authority;
    this.telemetry = parts.telemetry;
    this.spans = parts.spans;
    this.policies = parts.policies;
    this.policyFolder = parts.policyFolder;
    this.#services = parts.services;
    this.#bundle = parts.bundle;
    this.#scope = parts.scope;
    this.#errors = parts.errors;
  }

  /** Resolves when every service has its certificate. */
  static async start(options: MeshOptions): Promise<Mesh> {
    const errors: unknown[] = [];
    const scope = new Scope('mesh', (error) => errors.push(error));
    const clock = options.clock ?? systemClock;
    const folder = temporaryFolder('mesh');
    const lines: string[] = [];
    const log = jsonLog(options.logLevel ?? 'info', (line) => void lines.push(line));

    const authority = await CertificateAuthority.open({
      directory: join(folder, 'ca'),
      trustDomain: TRUST_DOMAIN,
      clock,
      log,
      ...(options.leafLifetimeMilliseconds === undefined
        ? {}
        : { leafLifetimeMilliseconds: options.leafLifetimeMilliseconds }),
    });
    authority.run(scope);
    const bundle = new Watch(believed(authority, options.alsoTrust));
    const crypto = cryptoWith(options.kems);

    const policyFolder = join(folder, 'policies');
    mkdirSync(policyFolder);
    for (const [file, text] of Object.entries(options.policies ?? { 'all.yaml': ALLOW_ALL })) {
      writeFileSync(join(policyFolder, file), text);
    }
    const policies = await watchPolicies({
      paths: [policyFolder],
      clock,
      log,
      defaults: EMBEDDED_DEFAULTS,
      trustDomain: TRUST_DOMAIN,
      rootNamespace: 'mesh',
    });
    policies.run(scope);

    const spans = new KeptSpans();
    const telemetry = Telemetry.create({
      clock,
      log,
      environment: options.environment ?? {},
      spanProcessors: [spans],
      ...(options.keptHandshakes === undefined ? {} : { recentRecords: options.keptHandshakes }),
    });
    const services = new Map<string, MeshService>();
    for (const [name, service] of Object.entries(options.services)) {
      const identity = serviceAccountId(TRUST_DOMAIN, NAMESPACE, name);
      const ownLines: string[] = [];
      const ownLog = jsonLog(options.logLevel ?? 'info', (line) => void ownLines.push(line));
      const agent = new WorkloadAgent({
        identity,
        issuance: { issue: (csr) => authority.issue(csr, identity) },
        bundle,
        clock,
        crypto,
        log: ownLog,
        random: Math.random,
        ...(options.rotateEveryMilliseconds === undefined
          ? {}
          : { renewEveryMilliseconds: options.rotateEveryMilliseconds }),
      });
      agent.run(scope);
      const sidecar = await Sidecar.start(scope, {
        service: name,
        workload: { namespace: NAMESPACE, serviceAccount: name, name, labels: {} },
        identity,
        credentials: agent.credentials,
        bundle,
        policies: policies.policies,
        telemetry,
        log: ownLog,
        clock,
        crypto,
        limits: { ...PATIENT, ...service.limits },
        ...(service.application === undefined
          ? {}
          : {
              inbound: { listen: LOOPBACK, application: service.application, port: service.port ?? PORT },
            }),
        outbound: routes(service, options.services, services),
        admin: LOOPBACK,
      });
      services.set(name, new MeshService({ name, identity, sidecar, agent, lines: ownLines }));
    }
    await Promise.all([...services.values()].map(({ agent }) => agent.whenReady(scope.signal)));
    const parts = { authority, telemetry, spans, policies, policyFolder, services };
    return new Mesh({ ...parts, bundle, scope, errors });
  }

  service(name: string): MeshService {
    const service = this.#services.get(name);
    if (service === undefined) throw new Error(`there is no service ${name}`);
    return service;
  }

  /** From now on its sidecars believe the authority of another mesh too. */
  trust({ authority }: Mesh): void {
    const roots = authority.bundle.value.roots.map(({ der }) => der);
    this.#bundle.set(believed(this.authority, roots));
  }

  /** Handshakes as the sidecar of one service saw them, oldest first. */
  handshakes(service: string): HandshakeRecord[] {
    return this.telemetry.recent().filter((record) => record.service === service);
  }

  /** Saves a policy file as editors do: under another name first, then over the old one. */
  savePolicy(file: string, text: string): void {
    const path = join(this.policyFolder, file);
    writeFileSync(`${path}~`, text);
    renameSync(`${path}~`, path);
  }

  /** Ends everything. Throws what went wrong where nobody waited for it. */
  async close(): Promise<void> {
    await this.#scope.close();
    await this.telemetry.shutdown();
    if (this.#errors.length > 0) throw new AggregateError(this.#errors, 'errors that nobody waited for');
  }
}

/** The product's cryptography with some mechanisms of key exchange only. */
function cryptoWith(kems: MeshOptions['kems']): CryptoProvider {
  if (kems === undefined) return usualCrypto;
  const left = Object.fromEntries(kems.map((name) => [name, usualCrypto.kems[name]]));
  return { ...usualCrypto, kems: left };
}

/** Everybody in the namespace may call everybody. */
const ALLOW_ALL = `
apiVersion: mesh.sallyport.dev/v1alpha1
kind: MeshPolicy
metadata: { name: all, namespace: ${NAMESPACE} }
spec:
  action: Allow
  rules:
    - from: [{ namespaces: [${NAMESPACE}] }]
`;

/** The document by which only these services may call `callee`. */
export function allow(callee: string, callers: readonly string[]): string {
  const accounts = callers.map((name) => `{ name: ${name}, namespace: ${NAMESPACE} }`);
  return `
apiVersion: mesh.sallyport.dev/v1alpha1
kind: MeshPolicy
metadata: { name: ${callee}-callers, namespace: ${NAMESPACE} }
spec:
  targetRef: { kind: ServiceAccount, name: ${callee} }
  action: Allow
  rules:
    - from:
        - serviceAccounts: [${accounts.join(', ')}]
`;
}

const PORT = 8080;

/** A busy machine may be ten times slower, and what is tried with a mesh is rarely its times. */
const PATIENT: Partial<SidecarLimits> = {
  connectTimeoutMilliseconds: 15_000,
  handshakeTimeoutMilliseconds: 30_000,
  drainGraceMilliseconds: 0,
};

function believed(authority: CertificateAuthority, others: readonly Uint8Array[] = []) {
  const roots = [...authority.bundle.value.roots.map(({ der }) => der), ...others];
  const bundle = createTrustBundle(TRUST_DOMAIN, roots);
  if (!bundle.ok) throw new Error(bundle.error.join('; '));
  return bundle.value;
}

function routes(
  { calls = [] }: ServiceOptions,
  all: MeshOptions['services'],
  started: ReadonlyMap<string, MeshService>,
) {
  const ways = Array.isArray(calls)
    ? (calls as readonly string[]).map((name) => [name, toService(name, all, started)] as const)
    : Object.entries(calls as Readonly<Record<string, () => Destination>>);
  return ways.map(([service, route]) => ({ service, listen: LOOPBACK, route }));
}

/** Asked when a call comes, so the callee may be started later than its caller. */
function toService(
  name: string,
  all: MeshOptions['services'],
  started: ReadonlyMap<string, MeshService>,
): () => Destination {
  return () => {
    const callee = started.get(name);
    if (callee === undefined) return { kind: 'unknown' };
    const port = all[name]?.port ?? PORT;
    return { kind: 'meshed', address: callee.inbound, port, identities: [callee.identity] };
  };
}
