import type { Counter, Meter } from '@opentelemetry/api';
import type { Reason } from '#handshake';
import { OTHER, type ReasonLabels } from './labels.ts';

type Direction = 'inbound' | 'outbound';

/** Running sums of one service and direction. Plain numbers: the byte path must not hash attributes for every chunk. */
export interface ConnectionTotals {
  readonly service: string;
  readonly direction: Direction;
  open: number;
  opened: number;
  receivedBytes: number;
  sentBytes: number;
}

export class ConnectionMeters {
  readonly #reasons: ReasonLabels;
  readonly #totals = new Map<string, ConnectionTotals>();
  readonly #closed: Counter;
  readonly #refused: Counter;
  readonly #plaintext: Counter;

  constructor(meter: Meter, reasons: ReasonLabels) {
    this.#reasons = reasons;
    this.#observe(meter);
    this.#closed = meter.createCounter('sallyport.connections.closed', {
      description: 'Connections that ended, by reason (none: an ordinary end)',
      unit: '{connection}',
    });
    this.#refused = meter.createCounter('sallyport.connections.refused', {
      description: 'Connections turned away before a handshake or a forward began, by reason',
      unit: '{connection}',
    });
    this.#plaintext = meter.createCounter('sallyport.connections.plaintext', {
      description: 'Plaintext connections, by the mode of the port and by what became of them',
      unit: '{connection}',
    });
  }

  opened(service: string, direction: Direction): ConnectionTotals {
    const key = `${direction} ${service}`;
    let totals = this.#totals.get(key);
    if (totals === undefined) {
      totals = { service, direction, open: 0, opened: 0, receivedBytes: 0, sentBytes: 0 };
      this.#totals.set(key, totals);
    }
    totals.open += 1;
    totals.opened += 1;
    return totals;
  }

  closed(totals: ConnectionTotals, reason: Reason | undefined): void {
    totals.open -= 1;
    const { service, direction } = totals;
    this.#closed.add(1, { service, direction, reason: this.#reasons.label(reason?.code) });
  }

  refused(service: string, direction: Direction, reason: Reason): void {
    this.#refused.add(1, { service, direction, reason: this.#reasons.label(reason.code) });
  }

  plaintext(service: string, mode: string, result: 'passed' | 'refused'): void {
    this.#plaintext.add(1, { service, mode: MODES.has(mode) ? mode.toLowerCase() : OTHER, result });
  }

  #observe(meter: Meter): void {
    const open = meter.createObservableUpDownCounter('sallyport.connections.open', {
      description: 'Connections that are open now, by direction',
      unit: '{connection}',
    });
    const opened = meter.createObservableCounter('sallyport.connections.opened', {
      description: 'Connections accepted (inbound) or dialled (outbound)',
      unit: '{connection}',
    });
    const bytes = meter.createObservableCounter('sallyport.connections.io', {
      description: 'Application bytes over the network, by flow: received from peers, sent to them',
      unit: 'By',
    });
    meter.addBatchObservableCallback(
      (result) => {
        for (const { service, direction, ...totals } of this.#totals.values()) {
          result.observe(open, totals.open, { service, direction });
          result.observe(opened, totals.opened, { service, direction });
          result.observe(bytes, totals.receivedBytes, { service, direction, flow: 'received' });
          result.observe(bytes, totals.sentBytes, { service, direction, flow: 'sent' });
        }
      },
      [open, opened, bytes],
    );
  }
}

/** Modes of a MeshTLS. */
const MODES: ReadonlySet<string> = new Set(['Strict', 'Permissive', 'Disabled']);
