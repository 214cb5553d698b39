import type { HandshakeRecord } from '#telemetry';
import { formatMilliseconds, formatSerial, formatSuite, formatTime } from './format.ts';
import type { Paint } from './paint.ts';
import { printableAll } from './printable.ts';
import { type Column, renderTable } from './table.ts';
import { cut } from './wrap.ts';

/** A table of handshakes, each side a row, as it is. */
export function renderHandshakes(all: readonly HandshakeRecord[], width: number, paint: Paint): string[] {
  const records = printableAll(all);
  if (records.length === 0) return ['No handshake of this kind in memory.'];
  const columns: Column<HandshakeRecord>[] = [
    { title: 'time', cell: ({ startTime }) => formatTime(startTime, true), drop: 5 },
    { title: 'side', cell: ({ role }) => role },
    { title: 'service', cell: ({ service }) => paint.colour('bold', service) },
    { title: 'peer', cell: peerOf, least: 12 },
    { title: 'result', cell: (record) => resultOf(record, paint) },
    { title: 'took', cell: ({ durationMs }) => formatMilliseconds(durationMs), align: 'right' },
    { title: 'suite', cell: ({ suite }) => formatSuite(suite ?? ''), drop: 4 },
    { title: 'group', cell: ({ group }) => group ?? '', drop: 6 },
    { title: 'peer serial', cell: ({ peerSerial }) => formatSerial(peerSerial ?? ''), drop: 7 },
    { title: 'trace', cell: ({ traceId }) => traceId.slice(0, TRACE_DIGITS), drop: 2 },
  ];
  const table = renderTable(columns, records, width, paint);
  const reasons = new Map(
    records.filter(({ result }) => result !== 'ok').map((record) => [record.reason, record]),
  );
  const notes = [...reasons].flatMap(([code, record]) => [
    '',
    cut(`${paint.colour('red', code ?? record.result)}: ${record.say ?? ''}`, width, paint.ellipsis),
    cut(`  ${record.next ?? ''}`, width, paint.ellipsis),
  ]);
  return [...table, ...notes];
}

/** One handshake on one line of fixed columns, for following them. */
export function handshakeLine(seen: HandshakeRecord, width: number, paint: Paint): string {
  const record = printableAll(seen);
  const parts = [
    formatTime(record.startTime, true),
    record.role.padEnd(6),
    `${record.service} ${record.role === 'client' ? '->' : '<-'} ${peerOf(record)}`,
    resultOf(record, paint),
    formatMilliseconds(record.durationMs),
    formatSuite(record.suite ?? ''),
    record.group ?? '',
    `trace ${record.traceId.slice(0, TRACE_DIGITS)}`,
    ...(record.say === undefined ? [] : [record.say]),
  ];
  return cut(parts.filter((part) => part !== '').join('  '), width, paint.ellipsis);
}

const TRACE_DIGITS = 12;

/** Who was proved to be there, else what is known of him. */
function peerOf({ peer, destination, peerAddress }: HandshakeRecord): string {
  return peer ?? destination ?? peerAddress;
}

function resultOf({ result, reason }: HandshakeRecord, paint: Paint): string {
  return result === 'ok' ? paint.colour('green', 'ok') : paint.colour('red', reason ?? result);
}
