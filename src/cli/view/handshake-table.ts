import stringWidth from 'string-width';
import type { HandshakeRecord } from '#telemetry';
import {
  formatMilliseconds,
  formatSerial,
  formatSuite,
  formatTime,
  shortIdentity,
  shortened,
} from './format.ts';
import type { Paint } from './paint.ts';
import { printableAll } from './printable.ts';
import { type Column, renderTable } from './table.ts';
import { cut, wrap } from './wrap.ts';

/** A table of handshakes, each side a row, as it is. */
export function renderHandshakes(all: readonly HandshakeRecord[], width: number, paint: Paint): string[] {
  const records = printableAll(all);
  if (records.length === 0) return ['No handshake of this kind in memory.'];
  const columns: Column<HandshakeRecord>[] = [
    { title: 'time', cell: ({ startTime }) => formatTime(startTime, true), drop: 5 },
    { title: 'side', cell: ({ role }) => role },
    { title: 'service', cell: ({ service }) => paint.colour('bold', service) },
    { title: 'peer', cell: (record) => peerOf(record, width), least: LEAST_PEER_COLUMNS },
    { title: 'result', cell: (record) => resultOf(record, paint) },
    { title: 'took', cell: ({ durationMs }) => formatMilliseconds(durationMs), align: 'right', drop: 1 },
    { title: 'suite', cell: ({ suite }) => formatSuite(suite ?? ''), drop: 4 },
    { title: 'group', cell: ({ group }) => group ?? '', drop: 6 },
    { title: 'peer serial', cell: ({ peerSerial }) => formatSerial(peerSerial ?? ''), drop: 7 },
    { title: 'trace', cell: ({ traceId }) => shortened(traceId, TRACE_DIGITS), drop: 2 },
  ];
  const table = renderTable(columns, records, width, paint);
  return [...table, ...notes(records, width, paint)];
}

/** What each reason means and what to try, once, with what its newest cases add. */
function notes(records: readonly HandshakeRecord[], width: number, paint: Paint): string[] {
  const bad = records.filter(({ result }) => result !== 'ok');
  return [...Map.groupBy(bad, ({ reason, result }) => reason ?? result)].flatMap(([code, cases]) => {
    const newest = cases.at(-1);
    const details = [...new Set(cases.flatMap(({ detail }) => detail ?? []))].slice(-MOST_DETAILS);
    return [
      '',
      ...wrap(`${paint.colour('red', code)}: `, newest?.say ?? '', width, paint),
      ...details.flatMap((detail) => wrap('  ', detail, width, paint)),
      ...wrap('  ', newest?.next ?? '', width, paint),
      // The side that sent the alert knows why.
      ...(code === 'alert-received' && newest !== undefined
        ? [`  sallyport handshakes --waterfall ${shortened(newest.traceId, TRACE_DIGITS)}`]
        : []),
    ];
  });
}

/** One handshake on one line, for following them; where a failure's explanation does not fit beside it, below. */
export function handshakeLine(seen: HandshakeRecord, width: number, paint: Paint): string {
  const record = printableAll(seen);
  const roomy = width >= COLUMNS_FOR_SIDE;
  const parts = [
    formatTime(record.startTime, roomy),
    // The arrow says it, too.
    roomy ? record.role.padEnd(6) : '',
    resultOf(record, paint),
    `${record.service} ${record.role === 'client' ? '->' : '<-'} ${peerOf(record, width)}`,
    formatMilliseconds(record.durationMs),
    formatSuite(record.suite ?? ''),
    record.group ?? '',
    `trace ${shortened(record.traceId, TRACE_DIGITS)}`,
  ];
  const line = parts.filter((part) => part !== '').join('  ');
  const why = [record.say, record.detail].filter((part) => part !== undefined).join(' ');
  const whole = why === '' ? line : `${line}  ${why}`;
  if (why === '' || stringWidth(whole) <= width) return cut(whole, width, paint.ellipsis);
  return [cut(line, width, paint.ellipsis), ...wrap('    ', why, width, paint)].join('\n');
}

const TRACE_DIGITS = 12;

const MOST_DETAILS = 5;
const COLUMNS_FOR_SIDE = 80;
/** `/ns/default/sa/payments` and the like. */
const LEAST_PEER_COLUMNS = 24;

/** Who was proved to be there, else what is known of him. Where room is short, our own trust domain goes unsaid. */
function peerOf({ peer, local, destination, peerAddress }: HandshakeRecord, width: number): string {
  return peer === undefined ? (destination ?? peerAddress) : shortIdentity(peer, local, width);
}

function resultOf({ result, reason }: HandshakeRecord, paint: Paint): string {
  return result === 'ok' ? paint.colour('green', 'ok') : paint.colour('red', reason ?? result);
}
