import type { CryptoProvider } from '#handshake/crypto';
import type { SpiffeId, TrustBundle } from '#identity';
import type { WorkloadCredential } from '#identity/workload';
import { type Clock, err, type Log, ok, type ReadableWatch, type Result, type Scope } from '#runtime';
import type { ConnectionFacts, Decision, PolicySet } from '#policy';
import type { DestinationSource } from '#sidecar';
import type { Telemetry } from '#telemetry';
import { sayProblem } from '../mesh-file/problem.ts';
import { parseDestinations } from '../sidecar-file/destinations-file.ts';
import type { ControllerSource, FileSource, SidecarFile } from '../sidecar-file/sidecar-file.ts';
import { FollowedFiles } from './files.ts';
import { followIdentity } from './identity.ts';

/** Who we are, whom we believe, and who others are, as it changes. */
export interface FollowedSource {
  readonly bundle: ReadableWatch<TrustBundle>;
  /** Undefined: there was no good one yet. The log says why. */
  readonly credentials: ReadableWatch<WorkloadCredential | undefined>;
  readonly destinations: ReadableWatch<DestinationSource>;
  /** Undefined: they come from files. */
  readonly policies?: ReadableWatch<PolicySet> | undefined;
  /** Told of each decision about an inbound connection; undefined: nobody wants to know. */
  readonly onDecision?: (decision: Decision, facts: ConnectionFacts) => void;
  run(scope: Scope, telemetry: Telemetry): void;
}

export interface SourceParts {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly log: Log;
}

/** From mounted files, or from the controller. The error holds the mistakes of files. */
export async function followSource(
  settings: SidecarFile,
  identity: SpiffeId,
  parts: SourceParts,
): Promise<Result<FollowedSource, readonly string[]>> {
  const { source } = settings;
  if (source.kind === 'files') return followFiles(settings, source, identity, parts);
  // Loaded when it is wanted: gRPC is an eighth of a sidecar's memory.
  const { followController } = await import('./controller.ts');
  return followController(settings, source satisfies ControllerSource, identity, parts);
}

async function followFiles(
  settings: SidecarFile,
  source: FileSource,
  identity: SpiffeId,
  parts: SourceParts,
): Promise<Result<FollowedSource, readonly string[]>> {
  const { certificate, key } = source;
  const [mounted, destinations] = await Promise.all([
    followIdentity({ certificate, key, trustBundle: settings.trustBundle }, identity, parts),
    FollowedFiles.open<DestinationSource>({
      what: 'destinations',
      paths: [source.destinations],
      parse: ([text = '']) => {
        const parsed = parseDestinations(source.destinations, text, settings.ports.status);
        return parsed.ok ? parsed : err(parsed.error.map(sayProblem));
      },
      ...parts,
    }),
  ]);
  const mistakes = [mounted, destinations].flatMap((part) => (part.ok ? [] : part.error));
  if (!mounted.ok || !destinations.ok) return err(mistakes);
  return ok({
    bundle: mounted.value.bundle,
    credentials: mounted.value.credentials,
    destinations: destinations.value.value,
    run(scope) {
      mounted.value.run(scope);
      destinations.value.run(scope);
    },
  });
}
