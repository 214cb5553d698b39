import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '#runtime';
import { Cluster, type ClusterChoice } from '../cluster/cluster.ts';
import { findInstallation } from '../cluster/installation.ts';
import { livingPods, sidecarsOf } from '../cluster/sidecars.ts';
import { INSTALLED_NAMESPACE, installedObjects } from '../install/manifests.ts';
import { deleteObject } from '../install/objects.ts';
import { UsageError } from '../usage-error.ts';
import { printableLine } from '../view/printable.ts';
import { sayInjected } from './injected.ts';

export interface UninstallOptions {
  readonly choice: ClusterChoice;
  /** Also while pods have sidecars. */
  readonly force: boolean;
  /** Policies and their kinds too. */
  readonly crds: boolean;
  readonly forMilliseconds: number;
}

/**
 * `sallyport uninstall`: takes away what `install` made, and the CA with it. 1, and nothing is touched, while pods have a
 * sidecar that depends on it.
 */
export async function uninstall({ choice, force, crds, forMilliseconds }: UninstallOptions): Promise<number> {
  const cluster = new Cluster(choice);
  const installation = await findInstallation(cluster);
  if (installation?.release !== undefined)
    throw new UsageError(
      `Helm installed this mesh: helm uninstall ${installation.release} -n ${installation.namespace}.`,
    );
  if (choice.namespace !== INSTALLED_NAMESPACE)
    throw new UsageError(
      `\`sallyport install\` installs into ${INSTALLED_NAMESPACE} only; ${choice.namespace} is another's.`,
    );
  const sidecars = sidecarsOf(await livingPods(cluster), choice.namespace);
  if (sidecars.length > 0 && !force) {
    sayInjected(
      sidecars.map(({ namespace, name }) => `${namespace}/${name}`),
      'sallyport uninstall --force',
    );
    return 1;
  }
  const choices = { image: undefined, trustDomain: undefined, policyDefault: undefined, tlsMode: undefined };
  // What asks for the controller goes first, so that no pod is refused because it is gone.
  const objects = installedObjects(choices)
    .filter(({ kind }) => crds || kind !== 'CustomResourceDefinition')
    .toReversed();
  let gone = 0;
  for (const object of objects) if (await deleteObject(cluster, object)) gone += 1;
  if (gone === 0) {
    say(`There was nothing of Sallyport's in the cluster of context ${cluster.context}.`);
    return 0;
  }
  const end = systemClock.monotonic() + forMilliseconds;
  while ((await cluster.read(`/api/v1/namespaces/${INSTALLED_NAMESPACE}`)) !== undefined) {
    if (systemClock.monotonic() >= end) {
      say(
        `Namespace ${INSTALLED_NAMESPACE} is still going: kubectl describe namespace ${INSTALLED_NAMESPACE} says what it waits for.`,
      );
      return 1;
    }
    await delay(STEP_MILLISECONDS);
  }
  say(
    `Sallyport is gone from the cluster of context ${cluster.context}${crds ? '' : '; its policies stay (--crds takes them away)'}.`,
  );
  return 0;
}

const STEP_MILLISECONDS = 1_000;

function say(line: string): void {
  process.stdout.write(`${printableLine(line)}\n`);
}
