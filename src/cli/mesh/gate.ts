import type { CryptoProvider } from '#handshake/crypto';
import type { SpiffeId } from '#identity';
import type { CertificateAuthority } from '#identity/ca';
import { type WorkloadCredential, WorkloadAgent } from '#identity/workload';
import type { PolicySet } from '#policy';
import type { Clock, Log, ReadableWatch, Scope } from '#runtime';
import { type Destination, Sidecar, type SidecarLimits } from '#sidecar';
import type { Telemetry } from '#telemetry';
import type { ServiceEntry } from '../mesh-file/mesh-file.ts';
import type { OrphanGuard } from '../services/orphan-guard.ts';
import { ServiceProcess } from '../services/service-process.ts';
import type { PolicyService } from './hop-policy.ts';
import { serviceEnvironment } from './service-environment.ts';
import { serviceLog } from './service-log.ts';

/** What all services of a mesh share. */
export interface MeshParts {
  readonly authority: CertificateAuthority;
  readonly policies: ReadableWatch<PolicySet>;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly log: Log;
  readonly crypto: CryptoProvider;
  /** Returns a number in [0, 1). */
  readonly random: () => number;
  readonly rotateEveryMilliseconds: number | undefined;
  /** Where commands run. */
  readonly directory: string;
  /** What services inherit. */
  readonly env: NodeJS.ProcessEnv;
  readonly guard: OrphanGuard;
  /** Takes what a service prints. */
  readonly output: (service: string, line: string, stream: 'stdout' | 'stderr') => void;
}

/** One service behind its gate. */
export interface Gate {
  readonly entry: ServiceEntry;
  readonly identity: SpiffeId;
  readonly credentials: ReadableWatch<WorkloadCredential | undefined>;
  readonly sidecar: Sidecar;
  /** Not started yet. */
  readonly process: ServiceProcess;
}

/** Starts the agent that keeps a service's certificate fresh, and its sidecar. `route` leads to the other services. The service itself is not started. */
export async function startGate(
  scope: Scope,
  entry: ServiceEntry,
  service: PolicyService,
  route: (service: string) => Destination,
  parts: MeshParts,
): Promise<Gate> {
  const { authority, clock, crypto, policies, telemetry, rotateEveryMilliseconds } = parts;
  const { identity, workload } = service;
  const log = serviceLog(parts.log, entry.name);
  const agent = new WorkloadAgent({
    identity,
    // The agent can ask for nothing but its own identity: it is bound here, not sent along.
    issuance: { issue: (request) => authority.issue(request, identity) },
    bundle: authority.bundle,
    clock,
    crypto,
    log,
    random: parts.random,
    ...(rotateEveryMilliseconds === undefined ? {} : { renewEveryMilliseconds: rotateEveryMilliseconds }),
  });
  agent.run(scope);
  scope.defer(telemetry.watchRenewalFailures(entry.name, agent.failures));
  scope.defer(telemetry.watchRoot(entry.name, authority.root));
  const sidecar = await Sidecar.start(scope, {
    service: entry.name,
    workload,
    identity,
    credentials: agent.credentials,
    bundle: authority.bundle,
    policies,
    telemetry,
    log,
    clock,
    crypto,
    limits: LIMITS,
    inbound: { listen: ANY_PORT, application: { host: LOOPBACK, port: entry.port }, port: entry.port },
    outbound: entry.calls.map((call) => ({
      service: call.service,
      listen: { host: LOOPBACK, port: call.listen ?? 0 },
      route: () => route(call.service),
    })),
    admin: ANY_PORT,
  });
  return {
    entry,
    identity,
    credentials: agent.credentials,
    sidecar,
    process: serviceProcess(entry, sidecar, parts),
  };
}

function serviceProcess(entry: ServiceEntry, { addresses }: Sidecar, parts: MeshParts): ServiceProcess {
  const { clock, directory, env, guard, output, random } = parts;
  const outbound = new Map([...addresses.outbound].map(([name, { port }]) => [name, port]));
  return new ServiceProcess({
    name: entry.name,
    command: entry.command,
    directory,
    env: serviceEnvironment(entry, outbound, env),
    port: entry.port,
    clock,
    random,
    guard,
    output: (line, stream) => output(entry.name, line, stream),
    graceMilliseconds: GRACE_MILLISECONDS,
    slowStartMilliseconds: SLOW_START_MILLISECONDS,
  });
}

const GRACE_MILLISECONDS = 5_000;
const SLOW_START_MILLISECONDS = 10_000;

const LOOPBACK = '127.0.0.1';
const ANY_PORT = { host: LOOPBACK, port: 0 };

/** On one machine nobody has to hear of a drain first, and whoever pressed Ctrl-C waits for the deadline. */
const LIMITS: Partial<SidecarLimits> = { drainGraceMilliseconds: 0, drainDeadlineMilliseconds: 5_000 };
