import { askControl } from '../control/control-client.ts';
import { findMesh, type MeshChoice } from '../control/find-mesh.ts';
import { formatLeft, formatSerial, formatTime } from '../view/format.ts';
import { type Paint, paintFor } from '../view/paint.ts';
import type { ServiceRow } from '../view/snapshot.ts';
import { type Column, renderTable } from '../view/table.ts';

export interface CertsOptions {
  readonly choice: MeshChoice;
  readonly json: boolean;
  readonly env: NodeJS.ProcessEnv;
}

/** `sallyport certs`: each service's certificate, once. */
export async function certs({ choice, json, env }: CertsOptions): Promise<number> {
  const mesh = await findMesh(choice, env);
  const services = await askControl<readonly ServiceRow[]>(mesh.socket, '/certs');
  if (json) {
    const rows = services.map(({ name, identity, certificate }) => ({
      service: name,
      identity,
      ...certificate,
    }));
    process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
    return 0;
  }
  const width = process.stdout.columns || WIDE;
  process.stdout.write(
    `${renderCerts(services, Date.now(), width, paintFor(process.stdout, env)).join('\n')}\n`,
  );
  return 0;
}

/** A pipe has no width; nothing is cut there. */
const WIDE = 1_000;

function renderCerts(services: readonly ServiceRow[], now: number, width: number, paint: Paint): string[] {
  const columns: Column<ServiceRow>[] = [
    { title: 'service', cell: ({ name }) => paint.colour('bold', name) },
    { title: 'identity', cell: ({ identity }) => identity, least: 16 },
    { title: 'serial', cell: ({ certificate }) => certificate?.serial ?? 'none yet', least: 8 },
    { title: 'valid from', cell: ({ certificate }) => time(certificate?.notBefore), drop: 2 },
    { title: 'ends', cell: ({ certificate }) => time(certificate?.notAfter), drop: 3 },
    { title: 'left', cell: ({ certificate }) => left(certificate?.notAfter, now), align: 'right' },
    {
      title: 'renewals',
      cell: ({ certificate }) => String(certificate?.renewals ?? 0),
      align: 'right',
      drop: 1,
    },
    { title: 'issuer', cell: ({ certificate }) => formatSerial(certificate?.issuer.serial ?? ''), drop: 4 },
    {
      title: 'issuer left',
      cell: ({ certificate }) => left(certificate?.issuer.notAfter, now),
      align: 'right',
      drop: 5,
    },
  ];
  return renderTable(columns, services, width, paint);
}

function time(milliseconds: number | undefined): string {
  return milliseconds === undefined ? '' : formatTime(milliseconds);
}

function left(notAfter: number | undefined, now: number): string {
  return notAfter === undefined ? '' : formatLeft(notAfter - now);
}
