import type { HandshakeRecord } from '#telemetry';
import { formatMilliseconds } from './format.ts';
import type { Colour, Paint } from './paint.ts';
import { printableAll } from './printable.ts';
import { cut, wrap } from './wrap.ts';

interface Step {
  readonly side: 'client' | 'server';
  readonly label: string;
  /** Milliseconds from the start of the axis. */
  readonly at: number;
  /** 0 for a message: a moment. */
  readonly lasts: number;
  readonly mark: '>' | '<' | '=';
}

/**
 * Both sides of one handshake on one time axis, in the order in which things happened: messages as arrows, operations
 * as bars. `records` are of one trace.
 */
export function renderWaterfall(all: readonly HandshakeRecord[], width: number, paint: Paint): string[] {
  const records = printableAll(all);
  const [any] = records;
  if (any === undefined) return [];
  const client = records.findLast(({ role }) => role === 'client');
  const server = records.findLast(({ role }) => role === 'server');
  const offset = client && server ? offsetOf(client, server) : 0;
  const steps = [
    ...(client === undefined ? [] : stepsOf(client, 0)),
    ...(server === undefined ? [] : stepsOf(server, offset)),
  ].toSorted((a, b) => a.at - b.at);
  const end = Math.max(...steps.map(({ at, lasts }) => at + lasts), SHORTEST_AXIS_MILLISECONDS);
  const label = Math.max(...steps.map((step) => step.label.length), 0);
  const room = Math.max(width - label - TEXT_COLUMNS, LEAST_BAR_COLUMNS);
  const lines = steps.map((step) => {
    const text = `${step.side}  ${step.label.padEnd(label)} ${timing(step)} `;
    return cut(`${text}|${paint.colour(COLOURS[step.side], bar(step, end, room))}|`, width, paint.ellipsis);
  });
  const half = client === undefined || server === undefined;
  const note = half ? [cut('Only one side of this handshake is in memory.', width, paint.ellipsis)] : [];
  return [...heading(server ?? any, client, width, paint), ...lines, ...note];
}

const COLOURS = { client: 'cyan', server: 'green' } as const satisfies Record<Step['side'], Colour>;
const SHORTEST_AXIS_MILLISECONDS = 0.01;
const LEAST_BAR_COLUMNS = 10;
/** `client  `, ` 12.34 +12.34 ms `, and the two bars. */
const TEXT_COLUMNS = 30;

function heading(
  record: HandshakeRecord,
  client: HandshakeRecord | undefined,
  width: number,
  paint: Paint,
): string[] {
  const { traceId, result, reason, say, detail, next, version, suite, group, policy } = record;
  const proof = record.resumption === 'resumed' ? 'resumed' : record.scheme;
  const caller = record.role === 'server' ? record.peer : record.local;
  const callee = record.role === 'server' ? record.local : (record.peer ?? record.destination);
  const verdict = result === 'ok' ? paint.colour('green', 'ok') : paint.colour('red', reason ?? result);
  const lines = [
    `trace ${traceId}  ${verdict}`,
    `  client ${caller ?? client?.local ?? record.peerAddress}`,
    `  server ${callee ?? record.peerAddress}`,
    `  ${[version && `TLS ${version}`, suite, group, proof, policy && `policy ${policy}`].filter(Boolean).join('  ')}`,
  ];
  return [
    ...lines.filter((line) => line.trim() !== '').map((line) => cut(line, width, paint.ellipsis)),
    ...[say, detail, next].flatMap((text) => (text === undefined ? [] : wrap('  ', text, width, paint))),
  ];
}

function stepsOf(record: HandshakeRecord, offset: number): Step[] {
  const side = record.role;
  return [
    ...record.messages.map(({ direction, message, atMs, length }): Step => {
      const mark = direction === 'sent' ? '>' : '<';
      return { side, label: `${mark} ${message} ${length} B`, at: atMs + offset, lasts: 0, mark };
    }),
    ...record.operations.map(({ operation, startMs, durationMs }): Step => {
      return { side, label: `= ${operation}`, at: startMs + offset, lasts: durationMs, mark: '=' };
    }),
  ];
}

/**
 * Where the server's time begins on the client's axis. Wall clocks count whole milliseconds, and a flight takes less:
 * where the measured value would have a message arrive before it was sent, the middle of what is possible is taken.
 */
function offsetOf(client: HandshakeRecord, server: HandshakeRecord): number {
  const measured = server.startTime - client.startTime;
  const least = gaps(client, server).reduce((most, gap) => Math.max(most, gap), Number.NEGATIVE_INFINITY);
  const most = gaps(server, client).reduce((least, gap) => Math.min(least, -gap), Number.POSITIVE_INFINITY);
  if (measured > least && measured < most) return measured;
  return Number.isFinite(least) && Number.isFinite(most) ? (least + most) / 2 : Math.max(least, measured);
}

/** For each message that one side sent and the other received: when it was sent less when it came. */
function gaps(from: HandshakeRecord, to: HandshakeRecord): number[] {
  return from.messages.flatMap(({ direction, message, atMs }) => {
    if (direction !== 'sent') return [];
    const came = to.messages.find((other) => other.direction === 'received' && other.message === message);
    return came === undefined ? [] : [atMs - came.atMs];
  });
}

function timing({ at, lasts }: Step): string {
  const start = at.toFixed(2).padStart(6);
  return lasts === 0
    ? `${start} ms`.padEnd(TEXT_COLUMNS - 12)
    : `${start} +${formatMilliseconds(lasts)}`.padEnd(TEXT_COLUMNS - 12);
}

function bar({ at, lasts, mark }: Step, end: number, room: number): string {
  const from = Math.min(Math.floor((at / end) * room), room - 1);
  const to = Math.max(Math.ceil(((at + lasts) / end) * room), from + 1);
  return `${' '.repeat(from)}${mark.repeat(Math.min(to, room) - from)}`.padEnd(room);
}
