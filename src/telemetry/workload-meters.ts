import type { Meter } from '@opentelemetry/api';
import { OTHER } from './labels.ts';

/** What one address sent in plaintext to a service. */
export interface PlaintextCount {
  readonly address: string;
  readonly passed: number;
  readonly refused: number;
}

/** What a pod's owner must know of its sidecar: who still calls it in plaintext, and whether what comes in is captured. */
export class WorkloadMeters {
  readonly #plaintext = new Map<string, () => readonly PlaintextCount[]>();
  readonly #captures = new Map<string, () => boolean>();

  constructor(meter: Meter) {
    meter
      .createObservableCounter('sallyport.plaintext.peer_connections', {
        description: `Plaintext connections by who called, ${MOST_PEERS} addresses at most, and by what became of them`,
        unit: '{connection}',
      })
      .addCallback((result) => {
        for (const [service, read] of this.#plaintext) {
          for (const { address, passed, refused } of bounded(read())) {
            result.observe(passed, { service, peer: address, result: 'passed' });
            result.observe(refused, { service, peer: address, result: 'refused' });
          }
        }
      });
    meter
      .createObservableGauge('sallyport.capture.verified', {
        description: '1 once a connection from the node has proved that what comes in is captured',
        unit: '1',
      })
      .addCallback((result) => {
        for (const [service, read] of this.#captures) result.observe(read() ? 1 : 0, { service });
      });
  }

  watchPlaintext(service: string, read: () => readonly PlaintextCount[]): () => void {
    this.#plaintext.set(service, read);
    return () => this.#plaintext.delete(service);
  }

  watchCapture(service: string, read: () => boolean): () => void {
    this.#captures.set(service, read);
    return () => this.#captures.delete(service);
  }
}

/** The only label that a caller can fill, so few of them: whoever comes later is counted among the others. */
const MOST_PEERS = 20;

/** Callers stand in the order in which they first came, so that one which is shown stays so. */
function bounded(peers: readonly PlaintextCount[]): readonly PlaintextCount[] {
  const rest = peers.slice(MOST_PEERS);
  if (rest.length === 0) return peers;
  const sum = (kind: 'passed' | 'refused'): number => rest.reduce((total, peer) => total + peer[kind], 0);
  const others = { address: OTHER, passed: sum('passed'), refused: sum('refused') };
  return [...peers.slice(0, MOST_PEERS), others];
}
