import { hopName } from '../mesh-file/mesh-file.ts';
import { count, formatLeft, formatMilliseconds, formatSerial, formatTime } from './format.ts';
import { printableAll } from './printable.ts';
import type { Denial, EdgeRow, MeshSnapshot, ServiceRow } from './snapshot.ts';

/**
 * What happened between two looks at a mesh, one plain line each: for logs and terminals that cannot be redrawn. Only
 * what somebody would want to read: a service's state, the first handshake of a connection, a denial when it begins,
 * a change of policy, a rotation when no other was told of lately.
 */
export function changes(earlier: MeshSnapshot | undefined, later: MeshSnapshot): string[] {
  const [before, after] = [printableAll(earlier), printableAll(later)];
  const lines = [
    ...newWarnings(before, after),
    ...after.services.flatMap((service) => serviceChanges(find(before?.services, service), service)),
    ...(isUp(after) ? after.edges : []).flatMap((edge) => {
      // What a connection was before all services were there was not told, so it is news now.
      return edgeChanges(before !== undefined && isUp(before) ? find(before.edges, edge) : undefined, edge);
    }),
  ];
  return lines.map((line) => `${formatTime(after.now)} ${line}`);
}

/** Before that, connections fail or are denied without meaning anything to anybody. */
function isUp({ services }: MeshSnapshot): boolean {
  return services.every(({ phase }) => phase !== 'starting');
}

/** One line that says how it goes. */
export function status({ totals, now, startedAt }: MeshSnapshot): string {
  const parts = [
    count(totals.requests, 'request'),
    count(totals.handshakes, 'handshake'),
    ...(totals.resumedHandshakes > 0 ? [`${totals.resumedHandshakes} resumed`] : []),
    count(totals.rotations, 'rotation'),
    count(totals.denials, 'denial'),
    `${totals.failed} failed`,
  ];
  return `${formatTime(now)} after ${formatLeft(now - startedAt)}: ${parts.join(', ')}`;
}

function newWarnings(before: MeshSnapshot | undefined, after: MeshSnapshot): string[] {
  const known = new Set(before?.warnings);
  if (known.size > 0 && after.warnings.length === 0) return ['all warnings are settled'];
  return after.warnings.filter((warning) => !known.has(warning)).map((warning) => `warning: ${warning}`);
}

function serviceChanges(before: ServiceRow | undefined, after: ServiceRow): string[] {
  const lines: string[] = [];
  if (after.phase !== before?.phase && after.phase === 'ready') {
    lines.push(`${after.name} is ready on 127.0.0.1:${after.port}, as ${after.identity}`);
  }
  if (after.certificate !== undefined && before?.certificate === undefined) {
    lines.push(`${after.name} has its first certificate, serial ${formatSerial(after.certificate.serial)}`);
  }
  // The first renewal shows that it works; the status line counts the others.
  if (after.certificate?.renewals === 1 && before?.certificate?.renewals === 0) {
    const serials = `${formatSerial(before.certificate.serial)} -> ${formatSerial(after.certificate.serial)}`;
    lines.push(`${after.name} rotated its certificate without a restart: serial ${serials}`);
  }
  return lines;
}

function edgeChanges(before: EdgeRow | undefined, after: EdgeRow): string[] {
  const name = hopName(after);
  if (before !== undefined && before.state !== after.state) {
    if (after.state === 'permitted' && before.state === 'denied') return [`${name} is permitted now`];
    if (after.state === 'permitted') return [`${name} works again`];
  }
  if (after.state === 'denied' && before?.state !== 'denied') return denial(name, after.denial);
  const { last } = after;
  if (last?.result === 'ok' && before?.last?.result !== 'ok') {
    const took = formatMilliseconds(last.durationMs);
    return [
      `${name} did a TLS ${last.version} handshake in ${took}: ${last.suite} ${last.group}, both certificates verified`,
    ];
  }
  if (after.state === 'failing' && before?.state !== 'failing') {
    return [`${name} fails: ${last?.say ?? last?.reason ?? 'no handshake'} ${last?.next ?? ''}`.trimEnd()];
  }
  return [];
}

function denial(name: string, denial: Denial | undefined): string[] {
  if (denial === undefined) return [];
  const { edit, reason, explanation } = denial;
  if (edit === undefined) return [`DENIED ${name} (${reason}): ${explanation}`];
  const place = edit.line === undefined ? edit.file : `${edit.file}:${edit.line}`;
  const [first, ...more] = edit.snippet;
  const snippet = more.length > 0 ? `\n${edit.snippet.join('\n')}` : first?.trim();
  const add = snippet === undefined ? '' : ` Add: ${snippet}`;
  return [`DENIED ${name} (${reason}). To permit it, edit ${place}: ${edit.say}${add}`];
}

function find<Row extends object>(rows: readonly Row[] | undefined, wanted: Row): Row | undefined {
  const key = (row: object): string => {
    const { name, from, to } = row as { name?: string; from?: string; to?: string };
    return name ?? `${from} -> ${to}`;
  };
  return rows?.find((row) => key(row) === key(wanted));
}
