import { relative } from 'node:path';
import { EMBEDDED_DEFAULTS, PolicyLoadError, type WatchedPolicies, watchPolicies } from '#policy';
import type { Clock, Log } from '#runtime';
import type { MeshFile } from '../mesh-file/mesh-file.ts';
import { UsageError } from '../usage-error.ts';

/** Policies in this namespace hold for all services, as those of the release's namespace do in Kubernetes. */
export const ROOT_NAMESPACE = 'sallyport-system';

/** The policies that mesh.yaml names: Strict and denied by default. Rejects with a UsageError that has every mistake. */
export async function openPolicies(mesh: MeshFile, clock: Clock, log: Log): Promise<WatchedPolicies> {
  try {
    return await watchPolicies({
      paths: mesh.policies.map(shownPath),
      defaults: EMBEDDED_DEFAULTS,
      trustDomain: mesh.trustDomain,
      rootNamespace: ROOT_NAMESPACE,
      clock,
      log,
    });
  } catch (error) {
    if (error instanceof PolicyLoadError) throw new UsageError(error.message);
    throw error;
  }
}

/** As short as an editor or a terminal opens it from here. */
export function shownPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short === '' || short.startsWith('..') ? path : short;
}
