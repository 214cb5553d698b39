import stringWidth from 'string-width';
import {
  count,
  formatLeft,
  formatMilliseconds,
  formatSerial,
  formatSuite,
  formatTime,
  pathOf,
  shortened,
} from './format.ts';
import type { Colour, Paint } from './paint.ts';
import { printableAll } from './printable.ts';
import type { EdgeRow, MeshSnapshot, ServiceRow } from './snapshot.ts';
import { type Column, renderTable } from './table.ts';
import { cut, wrap, wrapYaml } from './wrap.ts';

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/**
 * The live view: what `sallyport up` shows on a terminal. Pure. Never wider than `columns` nor higher than `rows`:
 * what is short of room is shortened in the order in which it matters less.
 */
export function renderScreen(snapshot: MeshSnapshot, size: ScreenSize, paint: Paint): string {
  const mesh = printableAll(snapshot);
  const width = Math.max(size.columns, LEAST_COLUMNS);
  const fixed: Section[] = [
    { lines: title(mesh, width, paint), least: 2 },
    { lines: services(mesh, width, paint), least: 4 },
    { lines: edges(mesh, width, paint), least: 4 },
    { lines: attention(mesh, width, paint), least: 4 },
  ].filter((section) => section.lines.length > 0);
  const foot = footer(mesh, width, paint);

  const room = size.rows - 1;
  const gaps = room >= ROWS_FOR_GAPS;
  shorten(fixed, room - 1 - (gaps ? fixed.length : 0));
  const body = fixed.flatMap(({ lines }) => (gaps ? [...lines, ''] : lines));
  const left = room - body.length - 1 - (gaps ? 1 : 0);
  const newest = handshakes(mesh, width, Math.min(left, MOST_HANDSHAKES), paint);
  if (newest.length > 0) body.push(...newest, ...(gaps ? [''] : []));
  return [...body, foot].slice(0, Math.max(room, 1)).join('\n');
}

const LEAST_COLUMNS = 20;
const ROWS_FOR_GAPS = 28;
const MOST_HANDSHAKES = 12;

interface Section {
  lines: string[];
  /** Shortened no further than this. */
  readonly least: number;
}

/** Takes lines from the end of the longest sections until all fit. */
function shorten(sections: readonly Section[], room: number): void {
  const total = (): number => sections.reduce((sum, { lines }) => sum + lines.length, 0);
  while (total() > room) {
    const candidates = sections.filter(({ lines, least }) => lines.length > least);
    const longest = candidates.toSorted((a, b) => b.lines.length - a.lines.length)[0];
    if (longest === undefined) return;
    longest.lines = longest.lines.slice(0, -1);
  }
}

function title(mesh: MeshSnapshot, width: number, paint: Paint): string[] {
  const rotation =
    mesh.rotateEveryMilliseconds === undefined
      ? ''
      : `, rotating every ${formatLeft(mesh.rotateEveryMilliseconds)}`;
  const text = `${paint.colour('bold', 'Sallyport')}  ${mesh.trustDomain}: mutual TLS${rotation}`;
  return [cut(text, width, paint.ellipsis), paint.colour('dim', cut(CAUTION, width, paint.ellipsis))];
}

/** It must not scroll away: whoever shares this machine shares these identities. */
const CAUTION = 'For development: local programs can borrow identities (docs/embedded.md)';

function services(mesh: MeshSnapshot, width: number, paint: Paint): string[] {
  const wide = width >= COLUMNS_FOR_WHOLE_IDENTITY;
  const columns: Column<ServiceRow>[] = [
    { title: 'service', cell: ({ name }) => paint.colour('bold', name) },
    { title: 'identity', cell: ({ identity }) => (wide ? identity : pathOf(identity)) },
    { title: 'port', cell: ({ port }) => String(port), drop: 4 },
    { title: 'state', cell: (row) => phase(row, paint) },
    { title: 'certificate', cell: (row) => formatSerial(row.certificate?.serial ?? 'none'), drop: 2 },
    { title: 'renewed', cell: (row) => String(row.certificate?.renewals ?? 0), drop: 3, align: 'right' },
    { title: 'left', cell: (row) => timeLeft(row, mesh.now), drop: 1, align: 'right' },
  ];
  return renderTable(columns, mesh.services, width, paint);
}

const COLUMNS_FOR_WHOLE_IDENTITY = 100;

function phase(row: ServiceRow, paint: Paint): string {
  return paint.colour(row.phase === 'ready' ? 'green' : 'yellow', row.phase);
}

function timeLeft({ certificate }: ServiceRow, now: number): string {
  return certificate === undefined ? '' : formatLeft(certificate.notAfter - now);
}

const EDGE_COLOURS = { permitted: 'green', denied: 'red', failing: 'yellow' } as const satisfies Record<
  EdgeRow['state'],
  Colour
>;

function edges(mesh: MeshSnapshot, width: number, paint: Paint): string[] {
  const columns: Column<EdgeRow>[] = [
    {
      title: '  connection',
      cell: (edge) => {
        const colour = EDGE_COLOURS[edge.state];
        return `${paint.colour(colour, paint.dot)} ${paint.colour('bold', `${edge.from} -> ${edge.to}`)}`;
      },
    },
    { title: 'policy', cell: (edge) => paint.colour(EDGE_COLOURS[edge.state], edge.state) },
    { title: 'req/s', cell: (edge) => edge.requestsPerSecond.toFixed(1), align: 'right', drop: 3 },
    { title: 'open', cell: (edge) => String(edge.open), align: 'right', drop: 5 },
    { title: 'last handshake', cell: (edge) => lastHandshake(edge), least: 18 },
    {
      title: 'took',
      cell: ({ last }) => (last === undefined ? '' : formatMilliseconds(last.durationMs)),
      drop: 2,
    },
    { title: 'port', cell: ({ listen }) => `:${listen}`, drop: 6 },
  ];
  return renderTable(columns, mesh.edges, width, paint);
}

function lastHandshake({ last }: EdgeRow): string {
  if (last === undefined) return 'none yet';
  if (last.result !== 'ok') return last.reason ?? last.result;
  return `${formatSuite(last.suite ?? '')} ${last.group ?? ''}`;
}

/** Warnings first; then the first denial in full and the others by name. */
function attention(mesh: MeshSnapshot, width: number, paint: Paint): string[] {
  const warnings = mesh.warnings.flatMap((warning) =>
    wrap(paint.colour('yellow', '! '), warning, width, paint),
  );
  const denied = mesh.edges.filter((edge) => edge.denial !== undefined);
  const [first, ...others] = denied;
  if (first?.denial === undefined) return warnings;
  const { reason, explanation, edit } = first.denial;
  const name = `${first.from} -> ${first.to}`;
  const lines = [
    ...warnings,
    cut(`${paint.colour('red', 'DENIED')}  ${paint.colour('bold', name)}  ${reason}`, width, paint.ellipsis),
  ];
  if (edit === undefined) return [...lines, ...wrap('  ', explanation, width, paint)];
  const place = edit.line === undefined ? edit.file : `${edit.file}:${edit.line}`;
  lines.push(...wrap('  to permit it, edit ', `${place}: ${edit.say}`, width, paint, 'cyan'));
  lines.push(...source(edit.line, edit.text, edit.snippet, width, paint));
  if (others.length > 0) {
    const names = others.map((edge) => `${edge.from} -> ${edge.to}`).join(', ');
    lines.push(cut(`  also denied: ${names}`, width, paint.ellipsis));
  }
  return lines;
}

/** The line to edit and what to add there, as a compiler would show it. */
function source(
  line: number | undefined,
  text: string | undefined,
  snippet: readonly string[],
  width: number,
  paint: Paint,
): string[] {
  const number = line === undefined ? '' : String(line);
  const margin = `  ${' '.repeat(number.length)} `;
  const room = width - margin.length - ADDED.length;
  const shown =
    text === undefined ? [] : [cut(`  ${paint.colour('dim', `${number} |`)} ${text}`, width, paint.ellipsis)];
  const added = snippet.flatMap((row) => wrapYaml(row, room));
  return [...shown, ...added.map((row) => `${margin}${paint.colour('green', `${ADDED}${row}`)}`)];
}

const ADDED = '+ ';

function handshakes(mesh: MeshSnapshot, width: number, room: number, paint: Paint): string[] {
  const shown = mesh.handshakes.slice(0, Math.max(room - 1, 0));
  if (shown.length === 0) return [];
  type Row = (typeof shown)[number];
  const columns: Column<Row>[] = [
    { title: '', cell: (row) => `  ${formatTime(row.startTime, true)}`, drop: 4 },
    { title: '', cell: (row) => hopOf(row, mesh) },
    {
      title: '',
      cell: (row) =>
        row.result === 'ok' ? paint.colour('green', 'ok') : paint.colour('red', row.reason ?? row.result),
    },
    { title: '', cell: (row) => formatMilliseconds(row.durationMs), align: 'right', drop: 3 },
    { title: '', cell: (row) => `trace ${shortened(row.traceId, 8)}`, drop: 1 },
    { title: '', cell: (row) => `serial ${formatSerial(row.peerSerial ?? '')}`, drop: 2 },
  ];
  return [paint.colour('dim', 'newest handshakes'), ...renderTable(columns, shown, width, paint)];
}

/** Caller and service of a handshake, from either side's record. */
function hopOf(row: MeshSnapshot['handshakes'][number], mesh: Pick<MeshSnapshot, 'services'>): string {
  const peer = mesh.services.find(({ identity }) => identity === row.peer)?.name ?? row.peer;
  if (row.role === 'server') return `${peer ?? row.peerAddress} -> ${row.service}`;
  return `${row.service} -> ${row.destination?.replace(/:\d+$/, '') ?? peer ?? row.peerAddress}`;
}

/** One line of what was counted; where it does not fit, the less important numbers go. */
function footer(mesh: MeshSnapshot, width: number, paint: Paint): string {
  const { requests, handshakes, resumedHandshakes, rotations, denials, failed, passed } = mesh.totals;
  const bad = `${failed} failed${passed === 0 ? '' : `, ${passed} passed that were forbidden`}`;
  const parts = [
    { rank: 0, text: 'Ctrl-C to stop' },
    { rank: 3, text: count(requests, 'request') },
    { rank: 2, text: count(handshakes, 'handshake') },
    ...(resumedHandshakes > 0 ? [{ rank: 6, text: `${resumedHandshakes} resumed` }] : []),
    { rank: 5, text: count(rotations, 'rotation') },
    { rank: 4, text: count(denials, 'denial') },
    { rank: 1, text: failed + passed === 0 ? bad : paint.colour('red', bad) },
    { rank: 6, text: `up ${formatLeft(mesh.now - mesh.startedAt)}` },
  ];
  const line = (least: number): string =>
    parts
      .filter(({ rank }) => rank <= least)
      .map(({ text }) => text)
      .join(paint.colour('dim', ' | '));
  const fitting = [6, 5, 4, 3, 2, 1].find((least) => stringWidth(line(least)) <= width);
  return cut(line(fitting ?? 0), width, paint.ellipsis);
}

/** Visible columns of the widest line, for tests and for callers that must be sure. */
export function widthOf(text: string): number {
  return Math.max(0, ...text.split('\n').map((line) => stringWidth(line)));
}
