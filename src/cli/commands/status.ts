import { some } from '../check/finding.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { type Installation, installationOf } from '../cluster/installation.ts';
import { type MeshObject, meshObjects } from '../cluster/policies.ts';
import { livingPods, sidecarsOf } from '../cluster/sidecars.ts';
import { askControl } from '../control/control-client.ts';
import { formatLeft } from '../view/format.ts';
import { type Paint, paintFor } from '../view/paint.ts';
import { printableAll, printableJson, printableLine } from '../view/printable.ts';
import type { MeshSnapshot } from '../view/snapshot.ts';
import { type Column, renderTable } from '../view/table.ts';
import { chooseWorld, type WorldChoice } from '../world.ts';

export interface StatusOptions {
  readonly choice: WorldChoice;
  readonly json: boolean;
  readonly env: NodeJS.ProcessEnv;
}

/** `sallyport status`: what there is of the mesh. Whether it is as it should be is the matter of `check`. */
export async function status({ choice, json, env }: StatusOptions): Promise<number> {
  const world = await chooseWorld(choice, env);
  const told =
    world.kind === 'embedded'
      ? embeddedStatus(await askControl<MeshSnapshot>(world.mesh.socket, '/topology'))
      : clusterStatus(await readCluster(world.cluster));
  if (json) process.stdout.write(`${printableJson(told.json, 2)}\n`);
  else {
    const width = process.stdout.columns || WIDE;
    process.stdout.write(`${told.lines(width, paintFor(process.stdout, env)).join('\n')}\n`);
  }
  return 0;
}

const WIDE = 1_000;

interface Status {
  readonly json: unknown;
  readonly lines: (width: number, paint: Paint) => readonly string[];
}

function embeddedStatus({ file, trustDomain, services, edges, warnings, now }: MeshSnapshot): Status {
  const shown = services.map(({ name, phase, port, certificate }) => ({
    ...{ name, phase, port },
    certificateLeft: certificate === undefined ? 'none' : formatLeft(certificate.notAfter - now),
  }));
  const calls = edges.map(({ from, to, state, denial }) => ({
    from,
    to,
    state,
    reason: denial?.reason ?? '',
  }));
  return {
    json: { world: 'embedded', file, trustDomain, services: shown, calls, warnings },
    lines: (width, paint) => [
      printableLine(`${file}, trust domain ${trustDomain}`),
      '',
      ...table(shown, ['name', 'phase', 'port', 'certificateLeft'], width, paint),
      '',
      ...table(calls, ['from', 'to', 'state', 'reason'], width, paint),
      ...warnings.map((warning) => printableLine(`! ${warning}`)),
    ],
  };
}

interface ClusterState {
  readonly context: string;
  readonly installation: Installation;
  readonly namespaces: readonly {
    readonly namespace: string;
    readonly sidecars: number;
    readonly ready: number;
  }[];
  readonly objects: readonly MeshObject[];
}

async function readCluster(cluster: Cluster): Promise<ClusterState> {
  const installation = await installationOf(cluster);
  const [pods, objects] = await Promise.all([livingPods(cluster), meshObjects(cluster)]);
  const sidecars = sidecarsOf(pods, installation.namespace);
  const namespaces = [...Map.groupBy(sidecars, ({ namespace }) => namespace)].map(([namespace, all]) => ({
    namespace,
    sidecars: all.length,
    ready: all.filter(({ ready }) => ready).length,
  }));
  return { context: cluster.context, installation, namespaces, objects };
}

function clusterStatus({ context, installation, namespaces, objects }: ClusterState): Status {
  const { namespace, name, version, release, replicas, settings } = installation;
  const defaults = settings.injection?.settings.defaults;
  const policies = objects.map(policyRow);
  const controller = { namespace, name, version, ready: replicas.ready, wanted: replicas.wanted, release };
  return {
    json: {
      world: 'cluster',
      context,
      controller,
      trustDomain: settings.trustDomain,
      defaults,
      namespaces,
      policies,
    },
    lines: (width, paint) => [
      printableLine(
        `context ${context}, controller ${namespace}/${name} ${version}, ${replicas.ready} of ${replicas.wanted} ready`,
      ),
      printableLine(
        `trust domain ${settings.trustDomain}; where no policy speaks: TLS ${defaults?.tlsMode ?? '?'}, ${defaults?.unselected ?? '?'}`,
      ),
      '',
      ...(namespaces.length === 0
        ? ['No pod has a sidecar of this mesh.']
        : table(namespaces, ['namespace', 'sidecars', 'ready'], width, paint)),
      '',
      ...(policies.length === 0
        ? ['There are no policies.']
        : table(policies, ['kind', 'name', 'accepted', 'observed'], width, paint)),
    ],
  };
}

interface PolicyRow {
  readonly kind: string;
  readonly name: string;
  /** As the controller's condition says; empty: it has said nothing yet. */
  readonly accepted: string;
  /** What the object's status tells beside it. */
  readonly observed: string;
}

function policyRow({ kind, metadata, status }: MeshObject): PolicyRow {
  const accepted = status?.conditions?.find(({ type }) => type === 'Accepted');
  const { wouldDeny, plaintextPeers, readyForStrict } = status ?? {};
  const callers = wouldDeny?.callers?.map(({ caller }) => caller ?? '?');
  const peers = plaintextPeers?.peers?.map(({ name, address }) => name ?? address ?? '?');
  const observed = [
    accepted?.status === 'False' ? accepted.message : undefined,
    wouldDeny === undefined ? undefined : counted('would deny', wouldDeny.total, callers),
    plaintextPeers === undefined ? undefined : counted('plaintext', plaintextPeers.total, peers),
    readyForStrict === true ? 'ready for Strict' : undefined,
  ];
  return {
    kind,
    name: `${metadata.namespace}/${metadata.name}`,
    accepted: accepted?.status ?? '',
    observed: observed.filter((text) => text !== undefined).join('; '),
  };
}

/** `would deny 3 (spiffe://…)`: how often, and who. */
function counted(what: string, total = 0, names: readonly string[] = []): string {
  const who = some([...new Set(names)]);
  return who === '' ? `${what} ${total}` : `${what} ${total} (${who})`;
}

function table<Row extends object>(
  rows: readonly Row[],
  names: readonly (keyof Row & string)[],
  width: number,
  paint: Paint,
): string[] {
  const columns = names.map((name): Column<Row> => {
    const title = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
    return { title, cell: (row) => String(row[name]), least: 8 };
  });
  return renderTable(columns, printableAll(rows), width, paint);
}
