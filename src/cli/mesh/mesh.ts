import { verifiedChainCounts } from '#identity';
import { AuthorityError, CertificateAuthority } from '#identity/ca';
import type { WatchedPolicies } from '#policy';
import type { Clock, Log, Scope } from '#runtime';
import { BindError, type Destination } from '#sidecar';
import { Telemetry, TelemetrySettingsError } from '#telemetry';
import type { StateFolder } from '../control/state-folder.ts';
import type { UpRecord } from '../control/up-record.ts';
import type { MeshFile, TrafficEntry } from '../mesh-file/mesh-file.ts';
import { startOrphanGuard } from '../services/orphan-guard.ts';
import { runTraffic } from '../traffic/traffic-driver.ts';
import { UsageError } from '../usage-error.ts';
import type { OpenedProvider } from '../crypto-provider.ts';
import { otelEnvironment } from '../otel-environment.ts';
import { formatMilliseconds } from '../view/format.ts';
import { printableLine } from '../view/printable.ts';
import type { MeshSnapshot } from '../view/snapshot.ts';
import { MeshActivity } from './activity.ts';
import { type Gate, type MeshParts, startGate } from './gate.ts';
import { HopPolicy, policyService } from './hop-policy.ts';
import { LoopDelay } from './loop-delay.ts';
import { OpenConnections } from './open-connections.ts';
import { openPolicies } from './policies.ts';
import { Progress } from './progress.ts';
import { type SnapshotSource, snapshotOf } from './snapshot-of.ts';

export interface MeshConfig {
  readonly mesh: MeshFile;
  readonly provider: OpenedProvider;
  readonly state: StateFolder;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly log: Log;
  /** Keeps what the authority issued; if it throws, the certificate isn't handed out. */
  readonly audit: (record: object) => void;
  /** Returns a number in [0, 1). */
  readonly random: () => number;
  readonly output: MeshParts['output'];
}

/** What Mesh.start has put together. */
interface Started {
  readonly telemetry: Telemetry;
  readonly watched: WatchedPolicies;
  readonly policy: HopPolicy;
  readonly gates: readonly Gate[];
}

/** A whole mesh in this process: CA, policies, sidecars, and the services as children. docs/adr/0003. */
export class Mesh {
  readonly telemetry: Telemetry;
  readonly #config: MeshConfig;
  readonly #gates: readonly Gate[];
  readonly #policy: HopPolicy;
  readonly #source: SnapshotSource;
  readonly #delay: LoopDelay;
  readonly #listeners = new Set<() => void>();
  readonly #traffic: Scope;
  readonly #services: Scope;
  readonly #progress: Progress;

  /** Starts all but the services and the traffic. Rejects with a UsageError for what the user can mend. */
  static async start(scope: Scope, config: MeshConfig): Promise<Mesh> {
    try {
      return new Mesh(scope, config, await open(scope, config));
    } catch (error) {
      // It names the program that holds a port by the name that this gave itself.
      if (error instanceof BindError) throw new UsageError(printableLine(error.message));
      const mendable = error instanceof AuthorityError || error instanceof TelemetrySettingsError;
      throw mendable ? new UsageError(error.message) : error;
    }
  }

  private constructor(scope: Scope, config: MeshConfig, { telemetry, watched, policy, gates }: Started) {
    const { clock, mesh } = config;
    this.telemetry = telemetry;
    this.#config = config;
    this.#gates = gates;
    this.#policy = policy;
    this.#services = scope.child('services');
    this.#traffic = scope.child('traffic');
    this.#progress = new Progress(scope, gates);

    const edges = gates.flatMap(({ entry, identity, sidecar }) =>
      [...sidecar.addresses.outbound].map(([to, { port }]) => ({
        from: entry.name,
        to,
        identity: identity.toString(),
        listen: port,
      })),
    );
    const activity = new MeshActivity({ hops: edges, clock });
    scope.defer(telemetry.subscribe((record) => activity.handshake(record)));
    for (const { credentials } of gates) {
      scope.defer(
        credentials.subscribe((held, before) => {
          if (before !== undefined && held !== undefined && held.serial !== before.serial)
            activity.rotation();
        }),
      );
    }
    const open = new OpenConnections(clock);
    open.run(
      scope,
      gates.map(({ entry, sidecar }) => ({ service: entry.name, port: sidecar.addresses.admin.port })),
    );
    this.#delay = new LoopDelay(clock);
    this.#delay.run(scope);
    let policiesSince = 0;
    scope.defer(
      watched.policies.subscribe(() => {
        policiesSince = clock.now();
        this.#changed();
      }),
    );
    scope.defer(watched.problems.subscribe(() => this.#changed()));
    this.#source = {
      mesh,
      startedAt: clock.now(),
      gates,
      edges,
      policy,
      watched,
      activity,
      open,
      policiesSince: () => policiesSince,
      clock,
    };
  }

  snapshot(): MeshSnapshot {
    return snapshotOf(this.#source);
  }

  /** For somebody who asks why requests went wrong, one line each. */
  diagnosis(): string[] {
    const { worstMilliseconds } = this.#delay;
    const { warnings } = this.snapshot();
    const starved = worstMilliseconds >= STARVED_MILLISECONDS;
    const late = `Sallyport waited up to ${formatMilliseconds(worstMilliseconds)} for processor time: this machine is overloaded`;
    return [...this.#source.activity.faults, ...warnings, ...(starved ? [late] : [])];
  }

  /** What of mesh.yaml never came about so far: a service that was never ready, traffic that was never sent. */
  unmet(): string[] {
    return this.#progress.unmet(this.#config.mesh.traffic);
  }

  /** Calls `listener` when the policies changed, or what is wrong with them. Returns the function that ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What other commands need to find this mesh. */
  record(): UpRecord {
    const { mesh, state } = this.#config;
    return {
      version: 1,
      pid: process.pid,
      startedAt: this.#source.startedAt,
      trustDomain: mesh.trustDomain,
      meshFile: mesh.file,
      state: state.path,
      socket: state.socket,
      services: this.#gates.map(({ entry, identity, sidecar: { addresses } }) => ({
        name: entry.name,
        identity: identity.toString(),
        port: entry.port,
        inbound: addresses.inbound?.port ?? 0,
        admin: addresses.admin.port,
        calls: [...addresses.outbound].map(([service, { port }]) => ({ service, listen: port })),
      })),
    };
  }

  /** Starts the services; each line of traffic starts when all that it needs is there. */
  startServices(): void {
    for (const { process } of this.#gates) process.run(this.#services);
    for (const entry of this.#config.mesh.traffic) {
      this.#traffic.run(async (signal) => {
        await this.#progress.begin(entry, signal);
        runTraffic(this.#traffic, {
          target: { entry, port: this.#portFor(entry) },
          expect: (hops) => this.#policy.expect(hops),
          record: (sample) => this.#source.activity.request(sample),
          clock: this.#config.clock,
        });
      });
    }
  }

  /**
   * Ends in the order in which nothing is cut off: no new requests, the sidecars finish what is under way, the services
   * end (which closes the connections they keep open), and what then still lives is ended by the drain's deadline.
   */
  async stop(): Promise<void> {
    await this.#traffic.close();
    const drained = Promise.allSettled(this.#gates.map(({ sidecar }) => sidecar.drain()));
    await Promise.race([drained, this.#pause(LONGEST_QUIET_DRAIN_MILLISECONDS)]);
    await Promise.all([drained, this.#services.close()]);
  }

  /** For a program that exits now: resets every connection, so that no half of an answer passes for the whole. */
  endAll(): void {
    for (const { sidecar } of this.#gates) sidecar.endAll();
  }

  #portFor({ service, as }: TrafficEntry): number {
    const gate = this.#gates.find(({ entry }) => entry.name === (as ?? service));
    const port = as === undefined ? gate?.entry.port : gate?.sidecar.addresses.outbound.get(service)?.port;
    if (port === undefined) throw new Error(`no port for traffic to ${service}`);
    return port;
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.#config.clock.after(milliseconds, resolve);
    });
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** The limits of a request and a handshake are 5 s, and each takes several turns of the loop. */
const STARVED_MILLISECONDS = 500;
/** Connections that clients keep open would hold a drain until its deadline; services close them when they end. */
const LONGEST_QUIET_DRAIN_MILLISECONDS = 500;

async function open(scope: Scope, config: MeshConfig): Promise<Started> {
  const { mesh, clock, log, env, provider, random, output } = config;
  const telemetry = Telemetry.create({ clock, log, environment: otelEnvironment(env) });
  scope.defer(() => telemetry.shutdown());
  telemetry.watchCrypto(
    { provider: provider.crypto.name, fallbacks: provider.fallbacks },
    verifiedChainCounts,
  );
  const lifetime = mesh.leafLifetimeMilliseconds;
  const [authority, watched] = await Promise.all([
    CertificateAuthority.open({
      directory: config.state.ca,
      trustDomain: mesh.trustDomain,
      clock,
      log,
      audit: config.audit,
      ...(lifetime === undefined ? {} : { leafLifetimeMilliseconds: lifetime }),
    }),
    openPolicies(mesh, clock, log),
  ]);
  authority.run(scope);
  watched.run(scope);
  const parts: MeshParts = {
    authority,
    policies: watched.policies,
    telemetry,
    clock,
    log,
    crypto: provider.crypto,
    random,
    rotateEveryMilliseconds: mesh.rotateEveryMilliseconds,
    directory: mesh.directory,
    env,
    guard: startOrphanGuard(scope),
    output,
  };
  const services = new Map(mesh.services.map((entry) => [entry.name, policyService(mesh, entry)]));
  const gates = await startGates(scope, mesh, services, parts);
  return { telemetry, watched, policy: new HopPolicy(services, watched.policies), gates };
}

async function startGates(
  scope: Scope,
  mesh: MeshFile,
  services: ReadonlyMap<string, ReturnType<typeof policyService>>,
  parts: MeshParts,
): Promise<Gate[]> {
  // Filled as sidecars come up: a call to one that is not there yet is refused, not let through.
  const destinations = new Map<string, Destination>();
  const route = (name: string): Destination => destinations.get(name) ?? { kind: 'unknown' };
  const gates: Gate[] = [];
  for (const entry of mesh.services) {
    const service = services.get(entry.name) ?? policyService(mesh, entry);
    const gate = await startGate(scope, entry, service, route, parts);
    gates.push(gate);
    const { inbound } = gate.sidecar.addresses;
    if (inbound === undefined) continue;
    const identities = [service.identity];
    destinations.set(entry.name, { kind: 'meshed', address: inbound, port: entry.port, identities });
  }
  return gates;
}
