import type { Reason } from '#handshake';
import type { Clock, Log } from '#runtime';
import type { Telemetry } from '#telemetry';
import type { Direction } from '../connection.ts';
import { noDescriptorLeft } from '../forward/connect.ts';
import { SIDECAR_REASONS } from '../reason.ts';

/**
 * Connections that were turned away before they had a line of their own. Each is counted; a flood of them is one line in
 * the log, repeated with the number of its cases while it goes on.
 */
export class Refusals {
  readonly #service: string;
  readonly #telemetry: Telemetry;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #unlogged = new Map<string, { since: number; cases: number }>();

  constructor(parts: { service: string; telemetry: Telemetry; log: Log; clock: Clock }) {
    this.#service = parts.service;
    this.#telemetry = parts.telemetry;
    this.#log = parts.log;
    this.#clock = parts.clock;
  }

  count(direction: Direction, reason: Reason, detail: string): void {
    this.#telemetry.refused(this.#service, direction, reason);
    const key = `${direction} ${reason.code}`;
    const known = this.#unlogged.get(key);
    const now = this.#clock.monotonic();
    if (known !== undefined && now - known.since < REPEAT_MILLISECONDS) {
      known.cases += 1;
      return;
    }
    const cases = 1 + (known?.cases ?? 0);
    this.#unlogged.set(key, { since: now, cases: 0 });
    const { code, say, next } = reason;
    this.#log.warn('connection refused', { direction, reason: code, say, next, detail, cases });
  }
}

/** What a listener does when the system could not hand over a connection: counts it and goes on accepting. */
export function acceptErrors(
  direction: Direction,
  refusals: Refusals,
): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    const reason = SIDECAR_REASONS[noDescriptorLeft(error) ? 'descriptors-exhausted' : 'accept-failed'];
    refusals.count(direction, reason, error.message);
  };
}

const REPEAT_MILLISECONDS = 10_000;
