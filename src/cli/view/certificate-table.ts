import { formatLeft, formatSerial, formatTime, shortIdentity } from './format.ts';
import type { Paint } from './paint.ts';
import { printableAll } from './printable.ts';
import type { ServiceRow } from './snapshot.ts';
import { type Column, renderTable } from './table.ts';

/** What the table needs of a service. */
export type CertificateHolder = Pick<ServiceRow, 'name' | 'identity' | 'certificate'>;

/** A table of each service's certificate, as it stands at `now`. */
export function renderCertificates(
  services: readonly CertificateHolder[],
  now: number,
  width: number,
  paint: Paint,
): string[] {
  const columns: Column<CertificateHolder>[] = [
    { title: 'service', cell: ({ name }) => paint.colour('bold', name) },
    { title: 'identity', cell: ({ identity }) => shortIdentity(identity, identity, width), least: 24 },
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
  return renderTable(columns, printableAll(services), width, paint);
}

function time(milliseconds: number | undefined): string {
  return milliseconds === undefined ? '' : formatTime(milliseconds);
}

function left(notAfter: number | undefined, now: number): string {
  return notAfter === undefined ? '' : formatLeft(notAfter - now);
}
