import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { stringify } from 'yaml';
import { systemClock } from '#runtime';
import { checkBefore } from '../check/before-install.ts';
import { type CrdObject, gatherFacts, type WebhookObject } from '../check/facts.ts';
import { Cluster, type ClusterChoice } from '../cluster/cluster.ts';
import { findInstallation, type Installation } from '../cluster/installation.ts';
import {
  type InstallChoices,
  INSTALLED_NAMESPACE,
  type InstalledObject,
  installedObjects,
} from '../install/manifests.ts';
import { applyObject, pathOf } from '../install/objects.ts';
import { UsageError } from '../usage-error.ts';
import { printableLine } from '../view/printable.ts';

export interface InstallOptions {
  readonly choice: ClusterChoice;
  readonly choices: InstallChoices;
  /** Writes the manifests and asks no cluster. */
  readonly print: boolean;
  /** How long it waits until the mesh is ready. */
  readonly forMilliseconds: number;
}

/** `sallyport install`: the manifests of deploy/k8s, and waits for them. 0 when pods can be meshed, 1 when not in time. */
export async function install({ choice, choices, print, forMilliseconds }: InstallOptions): Promise<number> {
  if (choice.namespace !== INSTALLED_NAMESPACE) {
    throw new UsageError(
      `This installs into namespace ${INSTALLED_NAMESPACE}. Into ${choice.namespace}: helm install sallyport deploy/helm/sallyport -n ${choice.namespace}.`,
    );
  }
  const objects = installedObjects(choices);
  if (print) {
    process.stdout.write(objects.map((object) => stringify(object)).join('---\n'));
    return 0;
  }
  const cluster = new Cluster(choice);
  const facts = await gatherFacts(cluster);
  const found = facts.installation.ok ? facts.installation.value : undefined;
  refuseOthers(found, choices);
  const obstacles = (await checkBefore(cluster, facts)).filter(({ result }) => result === 'failed');
  if (obstacles.length > 0)
    throw new UsageError(obstacles.map(({ say, next }) => `${say} ${next ?? ''}`).join('\n'));
  await refuseNamesakes(cluster, objects);
  for (const object of objects) {
    await applyObject(cluster, object);
    if (object.kind === 'CustomResourceDefinition') say(`${object.metadata.name} is there`);
  }
  say(
    `${objects.length} objects are in the cluster of context ${cluster.context}; waiting for the controller`,
  );
  const missing = await waited(
    cluster,
    objects.filter(({ kind }) => kind === 'CustomResourceDefinition').map(pathOf),
    forMilliseconds,
  );
  if (missing === undefined) {
    say('Sallyport runs. Now say which namespaces are meshed; their new pods get a sidecar:');
    say('  kubectl label namespace NAME mesh.sallyport.dev/inject=enabled');
    return 0;
  }
  say(
    `It is not ready after ${forMilliseconds / 1_000} s: ${missing}. It goes on by itself; \`sallyport check\` says what is wrong.`,
  );
  return 1;
}

function refuseOthers(found: Installation | undefined, { trustDomain }: InstallChoices): void {
  if (found?.release !== undefined)
    throw new UsageError(
      `Helm installed this mesh: helm upgrade ${found.release} deploy/helm/sallyport -n ${found.namespace}.`,
    );
  const before = found?.settings.trustDomain;
  if (before !== undefined && before !== (trustDomain ?? 'cluster.local'))
    throw new UsageError(
      `The mesh has the trust domain ${before}, which can't be changed: say --trust-domain ${before}, or uninstall it first.`,
    );
}

interface Selecting {
  readonly spec?: { readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> } };
}

/** A Deployment's selector can't be changed. Told half-way, this would leave objects of two makers under one name. */
async function refuseNamesakes(cluster: Cluster, objects: readonly InstalledObject[]): Promise<void> {
  for (const object of objects.filter(({ kind }) => kind === 'Deployment')) {
    const [theirs, ours] = [await cluster.read<Selecting>(pathOf(object)), object as Selecting].map(
      (each) => each?.spec?.selector?.matchLabels,
    );
    if (theirs === undefined || isDeepStrictEqual(theirs, ours)) continue;
    const { name, namespace = INSTALLED_NAMESPACE } = object.metadata;
    const labels = Object.entries(theirs).map(([key, value]) => `${key}=${value}`);
    throw new UsageError(
      `Deployment ${namespace}/${name} is somebody else's: it selects ${labels.join(',')}. Nothing was changed. ` +
        `Remove what made it, or the Deployment: kubectl delete deployment ${name} -n ${namespace}`,
    );
  }
}

const STEP_MILLISECONDS = 1_000;

/** What is still missing when the time is over; undefined: all is there. */
async function waited(
  cluster: Cluster,
  crds: readonly string[],
  forMilliseconds: number,
): Promise<string | undefined> {
  const end = systemClock.monotonic() + forMilliseconds;
  for (;;) {
    const missing = await lacking(cluster, crds);
    if (missing === undefined || systemClock.monotonic() >= end) return missing;
    await delay(STEP_MILLISECONDS);
  }
}

async function lacking(cluster: Cluster, crds: readonly string[]): Promise<string | undefined> {
  for (const path of crds) {
    const conditions = (await cluster.read<CrdObject>(path))?.status?.conditions ?? [];
    if (!conditions.some(({ type, status }) => type === 'Established' && status === 'True'))
      return `${path.split('/').at(-1) ?? ''} is not established`;
  }
  const installation = await findInstallation(cluster);
  const { ready = 0, wanted = 1 } = installation?.replicas ?? {};
  if (ready < wanted || installation === undefined)
    return `${ready} of ${wanted} replicas of the controller are ready`;
  const name = installation.settings.injection?.configuration ?? '';
  const webhook = await cluster.read<WebhookObject>(
    `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${name}`,
  );
  const told = webhook?.webhooks?.every(({ clientConfig }) => Boolean(clientConfig?.caBundle)) ?? false;
  return told ? undefined : 'the webhook has no caBundle';
}

function say(line: string): void {
  process.stdout.write(`${printableLine(line)}\n`);
}
