import type { Cluster } from '../cluster/cluster.ts';
import { askSidecars, sidecarsAt } from '../cluster/places.ts';
import { askControl } from '../control/control-client.ts';
import { type CertificateHolder, renderCertificates } from '../view/certificate-table.ts';
import { paintFor } from '../view/paint.ts';
import { printableJson, printableLine } from '../view/printable.ts';
import type { CertificateRow, ServiceRow } from '../view/snapshot.ts';
import { chooseWorld, type WorldChoice } from '../world.ts';

export interface CertsOptions {
  readonly choice: WorldChoice;
  readonly json: boolean;
  readonly env: NodeJS.ProcessEnv;
}

/** `sallyport certs`: each service's certificate, once. 1 where a sidecar of a cluster did not answer. */
export async function certs({ choice, json, env }: CertsOptions): Promise<number> {
  const world = await chooseWorld(choice, env);
  const { rows, silent } =
    world.kind === 'embedded'
      ? { rows: await askControl<readonly ServiceRow[]>(world.mesh.socket, '/certs'), silent: [] }
      : await ofCluster(world.cluster, choice.places);
  for (const line of silent) process.stderr.write(`${printableLine(line)}\n`);
  if (json) {
    const flat = rows.map(({ name, identity, certificate }) => ({ service: name, identity, ...certificate }));
    process.stdout.write(`${printableJson(flat, 2)}\n`);
  } else if (rows.length === 0) process.stdout.write('No pod has a sidecar of this mesh.\n');
  else {
    const width = process.stdout.columns || WIDE;
    const table = renderCertificates(rows, Date.now(), width, paintFor(process.stdout, env));
    process.stdout.write(`${table.join('\n')}\n`);
  }
  return silent.length === 0 ? 0 : 1;
}

/** A pipe has no width; nothing is cut there. */
const WIDE = 1_000;

/** As a sidecar's admin port shows it: dates by ISO 8601. */
interface Dump {
  readonly identity: string;
  readonly certificate: {
    readonly serial: string;
    readonly notBefore: string;
    readonly notAfter: string;
    readonly renewals: number;
    readonly issuer: { readonly serial: string; readonly notAfter: string };
  } | null;
}

async function ofCluster(
  cluster: Cluster,
  places: readonly string[],
): Promise<{ readonly rows: readonly CertificateHolder[]; readonly silent: readonly string[] }> {
  const { sidecars } = await sidecarsAt(cluster, places);
  const told = await askSidecars<Dump>(cluster, sidecars, '/dump');
  return {
    rows: told.flatMap(({ sidecar, answer }) => {
      if (answer === undefined) return [];
      const { identity, certificate } = answer;
      return [{ name: `${sidecar.namespace}/${sidecar.name}`, identity, certificate: rowOf(certificate) }];
    }),
    silent: told.flatMap(({ sidecar, problem }) =>
      problem === undefined ? [] : [`${sidecar.namespace}/${sidecar.name} says nothing: ${problem}`],
    ),
  };
}

function rowOf(certificate: Dump['certificate']): CertificateRow | undefined {
  if (certificate === null) return undefined;
  const { serial, notBefore, notAfter, renewals, issuer } = certificate;
  return {
    serial,
    notBefore: Date.parse(notBefore),
    notAfter: Date.parse(notAfter),
    renewals,
    issuer: { serial: issuer.serial, notAfter: Date.parse(issuer.notAfter) },
  };
}
