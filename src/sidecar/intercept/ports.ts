import { err, ok, type Result } from '#runtime';
import { parseList, quoted } from './list.ts';
import { merged, type Span, without } from './spans.ts';

/** Ports from `first` to `last`, both included; 1 to 65535. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export const LAST_PORT = 65_535;

export const ALL_PORTS: readonly PortRange[] = Object.freeze([{ first: 1, last: LAST_PORT }]);

/** Parses `80,443,8000-8100` into ranges in ascending order that neither overlap nor touch. */
export function parsePorts(text: string): Result<readonly PortRange[], readonly string[]> {
  const parsed = parsePortEntries(text);
  return parsed.ok ? ok(mergePorts(parsed.value)) : parsed;
}

/** The same as they were written. */
export function parsePortEntries(text: string): Result<readonly PortRange[], readonly string[]> {
  return parseList(text, parseEntry);
}

/** A port as digits without sign or leading zero. */
export function parsePort(text: string): number | undefined {
  // The pattern bounds the length, so that Number is exact.
  if (!/^[1-9][0-9]{0,4}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= LAST_PORT ? port : undefined;
}

export function mergePorts(ranges: readonly PortRange[]): readonly PortRange[] {
  return rangesOf(merged(ranges.map(spanOf)));
}

export function portsWithout(
  ranges: readonly PortRange[],
  removed: readonly PortRange[],
): readonly PortRange[] {
  return rangesOf(without(ranges.map(spanOf), removed.map(spanOf)));
}

/** `80, 8000-8100` */
export function formatPorts(ranges: readonly PortRange[]): string {
  return ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(', ');
}

export function hasPort(ranges: readonly PortRange[], port: number): boolean {
  return ranges.some(({ first, last }) => first <= port && port <= last);
}

function spanOf({ first, last }: PortRange): Span<number> {
  return { from: first, to: last + 1 };
}

function rangesOf(spans: readonly Span<number>[]): readonly PortRange[] {
  return Object.freeze(spans.map(({ from, to }) => Object.freeze({ first: from, last: to - 1 })));
}

function parseEntry(entry: string): Result<PortRange, string> {
  const dash = entry.indexOf('-', 1);
  const first = parsePort(dash < 0 ? entry : entry.slice(0, dash));
  const last = dash < 0 ? first : parsePort(entry.slice(dash + 1));
  if (first === undefined || last === undefined) {
    return err(
      `${quoted(entry)} is no port: write a number from 1 to ${LAST_PORT}, or a range like 8000-8100`,
    );
  }
  if (first > last) return err(`${quoted(entry)} begins after its end: write ${last}-${first}`);
  return ok({ first, last });
}
