import * as z from 'zod';
import { parseSpiffeId, type SpiffeId } from '#identity';
import { type Cidr, parseAddress, parseCidr } from '#policy';
import { err, ok, type Result } from '#runtime';
import { type DestinationEntry, Destinations } from '#sidecar';
import { port, SUBDOMAIN } from '../mesh-file/fields.ts';
import { inOrder, type Path, type Problem, parseYaml, type Source } from '../mesh-file/problem.ts';
import { SchemaReader } from '../mesh-file/schema-reader.ts';

/**
 * Reads the file that says whom addresses stand for: docs/capture.md. The error holds every mistake.
 *
 * @param statusPort of every sidecar
 */
export function parseDestinations(
  file: string,
  text: string,
  statusPort: number,
): Result<Destinations, readonly Problem[]> {
  const source = parseYaml(file, text);
  if (!source.ok) return source;
  const reader = new SchemaReader(source.value);
  const top = reader.check(topSchema, source.value.value, []);
  const rows = (top?.destinations ?? []).flatMap((value, index) => {
    const row = reader.check(rowSchema, value, ['destinations', index]);
    return row === undefined ? [] : [{ row, path: ['destinations', index] }];
  });
  const problems = new Values(source.value, reader.problems);
  const clusterNetworks = problems.networks(top?.clusterNetworks ?? [], ['clusterNetworks']);
  if (rows.reduce((sum, { row }) => sum + entryCount(row), 0) > MOST_ENTRIES) {
    const message = `its networks and ports make more than ${MOST_ENTRIES} entries, each network with each port; write wider networks or leave ports out`;
    return err([...reader.problems, source.value.problem(['destinations'], message)]);
  }
  const entries = rows.flatMap(({ row, path }) => entriesOf(row, path, problems));
  problems.refuseDoubles(entries);
  if (reader.problems.length > 0) return err(inOrder(reader.problems));
  return ok(
    new Destinations(
      clusterNetworks,
      entries.map(({ entry }) => entry),
      statusPort,
    ),
  );
}

const topSchema = z.strictObject({
  // Not optional: without it an address that is missing from the list would be taken for one outside the mesh.
  clusterNetworks: z.array(z.string()),
  destinations: z.array(z.unknown()).default([]),
});

const rowSchema = z
  .strictObject({
    service: z.string().regex(SUBDOMAIN, 'a service is a name such as orders.shop').optional(),
    networks: z.array(z.string()).min(1, 'name at least one network'),
    ports: z
      .array(
        z.union([port, z.strictObject({ port, targetPort: port })], {
          error: 'a port is a number, or {port: NUMBER, targetPort: NUMBER}',
        }),
      )
      .min(1, 'name at least one port, or leave the field out')
      .optional(),
    identities: z.array(z.string()).min(1, 'name at least one identity').optional(),
    endpoints: z.array(z.string()).min(1, 'name at least one address, or leave the field out').optional(),
    unmeshed: z.literal(true, 'unmeshed is true, or left out').optional(),
  })
  .refine(
    ({ identities, unmeshed }) => (identities === undefined) !== (unmeshed === undefined),
    'say either the identities of its sidecars, or unmeshed: true',
  )
  .refine(
    ({ endpoints, unmeshed }) => endpoints === undefined || unmeshed === undefined,
    'endpoints are for destinations with sidecars',
  );

type Row = z.output<typeof rowSchema>;

interface Placed {
  readonly entry: DestinationEntry;
  readonly path: Path;
}

/** Some hundred bytes each: the largest file that is read must not cost more than the sidecar has. */
const MOST_ENTRIES = 65_536;

function entryCount({ networks, ports }: Row): number {
  return networks.length * (ports?.length ?? 1);
}

function entriesOf(row: Row, path: Path, values: Values): Placed[] {
  const identities = values.identities(row.identities ?? [], [...path, 'identities']);
  const endpoints = values.addresses(row.endpoints ?? [], [...path, 'endpoints']);
  const ports = row.ports?.map((one) =>
    typeof one === 'number' ? { port: one, targetPort: undefined } : one,
  );
  return values.networks(row.networks, [...path, 'networks']).flatMap((network) =>
    (ports ?? [{ port: undefined, targetPort: undefined }]).map(({ port, targetPort }) => ({
      path,
      entry: {
        network,
        port,
        service: row.service,
        meshed: row.unmeshed === true ? undefined : { identities, targetPort, endpoints },
      },
    })),
  );
}

/** Parses what a schema can't, and says what is wrong where. */
class Values {
  readonly #source: Source;
  readonly #problems: Problem[];

  constructor(source: Source, problems: Problem[]) {
    this.#source = source;
    this.#problems = problems;
  }

  networks(texts: readonly string[], path: Path): Cidr[] {
    return this.#each(texts, path, parseCidr);
  }

  identities(texts: readonly string[], path: Path): SpiffeId[] {
    const ids = this.#each(texts, path, parseSpiffeId);
    const domains = new Set(ids.map(({ trustDomain }) => trustDomain));
    if (domains.size > 1)
      this.#say(path, 'the identities are of several trust domains; one connection has one');
    return ids;
  }

  addresses(texts: readonly string[], path: Path): string[] {
    return this.#each(texts, path, (text) =>
      parseAddress(text) === undefined ? err(`${JSON.stringify(text)} is no IP address`) : ok(text),
    );
  }

  /** Two lines about the same network and port would leave open which holds. */
  refuseDoubles(entries: readonly Placed[]): void {
    const seen = new Set<string>();
    for (const { entry, path } of entries) {
      const what = `${entry.network.text} ${entry.port === undefined ? 'without a port' : `port ${entry.port}`}`;
      if (seen.has(what)) this.#say(path, `${what} is said twice`);
      seen.add(what);
    }
  }

  #each<T>(texts: readonly string[], path: Path, parse: (text: string) => Result<T, string>): T[] {
    return texts.flatMap((text, index) => {
      const parsed = parse(text);
      if (parsed.ok) return [parsed.value];
      this.#say([...path, index], parsed.error);
      return [];
    });
  }

  #say(path: Path, say: string): void {
    this.#problems.push(this.#source.problem(path, say));
  }
}
