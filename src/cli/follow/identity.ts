import type { CryptoProvider } from '#handshake/crypto';
import type { SpiffeId, TrustBundle } from '#identity';
import { readMounted, type WorkloadCredential } from '#identity/workload';
import { type Clock, err, type Log, ok, type ReadableWatch, type Result, type Scope } from '#runtime';
import { FollowedFiles } from './files.ts';
import { followTrustBundle } from './trust-bundle.ts';

export interface MountedIdentity {
  readonly certificate: string;
  readonly key: string;
  readonly trustBundle: string;
}

export interface FollowedIdentity {
  readonly bundle: ReadableWatch<TrustBundle>;
  /** Undefined: there was no good one yet. The log says why. */
  readonly credentials: ReadableWatch<WorkloadCredential | undefined>;
  run(scope: Scope): void;
}

/**
 * The roots to believe, and our own certificate and key, from mounted files. The error holds the mistakes of the roots,
 * without which nothing can be judged; a certificate that peers would refuse only keeps the sidecar from being ready.
 */
export async function followIdentity(
  files: MountedIdentity,
  identity: SpiffeId,
  { clock, crypto, log }: { readonly clock: Clock; readonly crypto: CryptoProvider; readonly log: Log },
): Promise<Result<FollowedIdentity, readonly string[]>> {
  const roots = await followTrustBundle(files.trustBundle, identity.trustDomain, { clock, log });
  if (!roots.ok) return roots;
  const bundle = roots.value.value;
  let renewals = 0;
  const credentials = await FollowedFiles.openOr<WorkloadCredential | undefined>(
    {
      what: 'certificate and key',
      paths: [files.certificate, files.key],
      parse([certificate = '', key = '']) {
        const context = { crypto, identity, bundle: bundle.value, now: clock.now(), renewals };
        const read = readMounted({ certificate, key }, context);
        if (!read.ok) return err([`${read.error.reason.say} (${read.error.detail})`]);
        renewals += 1;
        return read;
      },
      clock,
      log,
    },
    undefined,
  );
  return ok({
    bundle,
    credentials: credentials.value,
    run(scope) {
      roots.value.run(scope);
      credentials.run(scope);
      // What peers with the new roots would refuse has to be said in the log, and what was refused may be good now.
      scope.defer(bundle.subscribe(() => credentials.again()));
    },
  });
}
