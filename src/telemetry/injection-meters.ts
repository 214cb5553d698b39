import type { Counter, Meter } from '@opentelemetry/api';
import { NONE, type ReasonLabels } from './labels.ts';

/** What became of a pod that the webhook was asked about. */
export interface InjectionOutcome {
  readonly result: 'injected' | 'left' | 'refused';
  /** Codes of what keeps it out of the mesh; empty unless it was refused. */
  readonly reasons: readonly string[];
}

/** Pods by what the webhook did with them. No label names a pod or a namespace. */
export class InjectionMeters {
  readonly #reasons: ReasonLabels;
  readonly #pods: Counter;

  constructor(meter: Meter, reasons: ReasonLabels) {
    this.#reasons = reasons;
    this.#pods = meter.createCounter('sallyport.injection.pods', {
      description:
        'Pods that the webhook was asked about, by what became of them; a refused one for each reason',
      unit: '{pod}',
    });
  }

  reviewed(service: string, { result, reasons }: InjectionOutcome): void {
    for (const reason of reasons.length === 0 ? [undefined] : reasons) {
      const label = reason === undefined ? NONE : this.#reasons.label(reason);
      this.#pods.add(1, { service, result, reason: label });
    }
  }
}
