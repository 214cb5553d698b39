import type { Meter } from '@opentelemetry/api';

/** What cryptography a process runs on. */
export interface CryptoState {
  readonly provider: string;
  /** How often something was left to a slower provider. */
  readonly fallbacks: () => number;
}

/** One for the process, as its cryptography is. */
export class CryptoMeters {
  #state: CryptoState | undefined;

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
  }

  watch(state: CryptoState): void {
    this.#state = state;
  }
}
