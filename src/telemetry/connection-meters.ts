import type { Counter, Meter } from '@opentelemetry/api';
import type { Reason } from '#handshake';
import { OTHER, type ReasonLabels } from './labels.ts';

type Direction = 'inbound' | 'outbound';

/** Where a call went: over mutual TLS; in plaintext to what has no sidecar, out of the mesh, or to the caller itself. */
export type Route = 'mesh' | 'unmeshed' | 'egress' | 'self';

/** Packets that no sidecar sees, since the network namespace was made. */
export interface UncapturedCount {
  readonly protocol: 'udp' | 'icmp';
  readonly flow: 'received' | 'sent';
  readonly packets: number;
}

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
  readonly #routed: Counter;
  readonly #uncaptured = new Map<string, () => readonly UncapturedCount[] | undefined>();

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
    this.#routed = meter.createCounter('sallyport.connections.routed', {
      description: 'Calls of the application that were connected, by where they went',
      unit: '{connection}',
    });
  }

  watchUncaptured(service: string, read: () => readonly UncapturedCount[] | undefined): () => void {
    this.#uncaptured.set(service, read);
    return () => this.#uncaptured.delete(service);
  }

  routed(service: string, route: Route): void {
    this.#routed.add(1, { service, route });
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
    const uncaptured = meter.createObservableCounter('sallyport.uncaptured.packets', {
      description: 'Packets that passed beside the sidecar, by protocol and flow',
      unit: '{packet}',
    });
    uncaptured.addCallback((result) => {
      for (const [service, read] of this.#uncaptured) {
        for (const { protocol, flow, packets } of read() ?? []) {
          result.observe(packets, { service, protocol, flow });
        }
      }
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
