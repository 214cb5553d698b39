import { err, ok, type Result } from '#runtime';
import { parseList, quoted } from './list.ts';

/** Ports from `first` to `last`, both included; 1 to 65535. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export const LAST_PORT = 65_535;

/** Parses `80,443,8000-8100` into ranges in ascending order that neither overlap nor touch. */
export function parsePorts(text: string): Result<readonly PortRange[], readonly string[]> {
  const parsed = parseList(text, parseEntry);
  if (!parsed.ok) return parsed;
  const merged = mergePorts(parsed.value);
  const [only] = merged;
  if (only !== undefined && only.first === 1 && only.last === LAST_PORT) {
    return err(['together they are all ports: to leave a pod alone, do not run init in it']);
  }
  return ok(merged);
}

/** A port as digits without sign or leading zero. */
export function parsePort(text: string): number | undefined {
  // The pattern bounds the length, so that Number is exact.
  if (!/^[1-9][0-9]{0,4}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= LAST_PORT ? port : undefined;
}

export function mergePorts(ranges: readonly PortRange[]): readonly PortRange[] {
  const merged: PortRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.first - b.first)) {
    const previous = merged.at(-1);
    if (previous !== undefined && range.first <= previous.last + 1) {
      merged[merged.length - 1] = { first: previous.first, last: Math.max(previous.last, range.last) };
    } else {
      merged.push(range);
    }
  }
  return Object.freeze(merged.map((range) => Object.freeze({ ...range })));
}

export function hasPort(ranges: readonly PortRange[], port: number): boolean {
  return ranges.some(({ first, last }) => first <= port && port <= last);
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
