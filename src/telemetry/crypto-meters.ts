import type { Meter } from '@opentelemetry/api';

/** What cryptography a process runs on. */
export interface CryptoState {
  readonly provider: string;
  /** How often something was left to a slower provider. */
  readonly fallbacks: () => number;
}

/** How often a peer's chain had been validated before, and how often not. */
export interface ChainCounts {
  readonly hits: number;
  readonly misses: number;
}

/** One for the process, as its cryptography is. */
export class CryptoMeters {
  #state: CryptoState | undefined;
  #chains: (() => ChainCounts) | undefined;

  constructor(meter: Meter) {
    const provider = meter.createObservableGauge('sallyport.crypto.provider', {
      description: 'The cryptography that TLS runs on: 1 for the one in use',
    });
    const fallbacks = meter.createObservableCounter('sallyport.crypto.fallbacks', {
      description: 'What was left to node:crypto because libcrypto could not be used for it',
      unit: '{fallback}',
    });
    meter.addBatchObservableCallback(
      (result) => {
        if (this.#state === undefined) return;
        result.observe(provider, 1, { provider: this.#state.provider });
        result.observe(fallbacks, this.#state.fallbacks());
      },
      [provider, fallbacks],
    );
    const chains = meter.createObservableCounter('sallyport.certificates.chains', {
      description: 'Chains of peers that were judged: known from an earlier handshake, or validated anew',
      unit: '{chain}',
    });
    chains.addCallback((result) => {
      if (this.#chains === undefined) return;
      const { hits, misses } = this.#chains();
      result.observe(hits, { verdict: 'known' });
      result.observe(misses, { verdict: 'validated' });
    });
  }

  watch(state: CryptoState, chains: () => ChainCounts): void {
    this.#state = state;
    this.#chains = chains;
  }
}
