import { open } from 'node:fs/promises';
import { serviceAccountId, type SpiffeId, spiffeVerifier } from '#identity';
import { RemoteIssuance } from '#identity/issuance';
import { WorkloadAgent } from '#identity/workload';
import { err, ok, type Result, Watch, whyUnreadable } from '#runtime';
import { type DestinationSource, Discovery, Reports, ToldPolicies } from '#sidecar';
import { rpcDiscovery } from '#sidecar/discover';
import type { ControllerSource, SidecarFile } from '../sidecar-file/sidecar-file.ts';
import type { FollowedSource, SourceParts } from './source.ts';
import { followTrustBundle } from './trust-bundle.ts';

/**
 * Certificates and destinations from the controller, which must prove its own identity under the mounted roots. Our key
 * is made in this process and never written. Discovery begins with the first certificate, since only who has one may ask.
 */
export async function followController(
  settings: SidecarFile,
  source: ControllerSource,
  identity: SpiffeId,
  { clock, crypto, log }: SourceParts,
): Promise<Result<FollowedSource, readonly string[]>> {
  const roots = await followTrustBundle(settings.trustBundle, identity.trustDomain, { clock, log });
  if (!roots.ok) return roots;
  const bundle = roots.value.value;
  const { host, port, namespace, serviceAccount } = source;
  const controller = serviceAccountId(identity.trustDomain, namespace, serviceAccount);
  const random = Math.random;
  const issuance: RemoteIssuance = new RemoteIssuance({
    target: { host, port },
    controller,
    bundle,
    readToken: () => readToken(source.token),
    current: () => agent.credentials.value,
    crypto,
    clock,
  });
  const agent: WorkloadAgent = new WorkloadAgent({
    identity,
    issuance,
    bundle,
    clock,
    crypto,
    log,
    random,
  });
  const tls = () => {
    const credential = agent.credentials.value?.credential;
    return {
      crypto,
      verifier: spiffeVerifier({
        bundle,
        clock,
        accept: (id) => id.toString() === controller.toString(),
        acceptText: `the controller, ${controller.toString()}`,
      }),
      ...(credential === undefined ? {} : { credential }),
    };
  };
  const { workload, defaults, trustDomain, rootNamespace } = settings;
  // Policies in files are somebody's choice to do without the controller's.
  const policies =
    settings.policies.length > 0
      ? undefined
      : new ToldPolicies({ workload, defaults, trustDomain, rootNamespace, log });
  const reports = new Reports();
  const discovery = new Discovery({
    ...(policies === undefined ? {} : { policies, reports }),
    open: rpcDiscovery({ target: { host, port }, tls, clock }),
    statusPort: settings.ports.status,
    clock,
    log,
    random,
  });
  return ok({
    bundle,
    credentials: agent.credentials,
    policies: policies?.policies,
    ...(policies === undefined ? {} : { onDecision: reports.count.bind(reports) }),
    destinations: new Watch<DestinationSource>(discovery),
    run(scope, telemetry) {
      roots.value.run(scope);
      agent.run(scope);
      scope.defer(telemetry.watchRenewalFailures(settings.service, agent.failures));
      scope.defer(telemetry.watchClockOffset(settings.service, issuance.clockOffset));
      scope.defer(
        telemetry.watchDiscovery(settings.service, () => ({
          ageMilliseconds: discovery.ageMilliseconds,
          addresses: discovery.size,
        })),
      );
      scope.run(async (signal) => {
        await agent.whenReady(signal);
        discovery.run(scope);
      });
    },
  });
}

/** A token of Kubernetes has about 1,500 bytes. */
const MOST_TOKEN_BYTES = 16 * 1024;

/** Each time anew: the kubelet replaces it. */
async function readToken(path: string): Promise<Result<string, string>> {
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST_TOKEN_BYTES + 1), 0);
      if (bytesRead > MOST_TOKEN_BYTES) return err(`${path} is larger than ${MOST_TOKEN_BYTES} bytes`);
      return ok(buffer.toString('latin1', 0, bytesRead).trim());
    } finally {
      await file.close();
    }
  } catch (error) {
    return err(`${path} cannot be read: ${whyUnreadable(error)}`);
  }
}
