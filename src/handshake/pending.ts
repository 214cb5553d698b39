import type { Operation } from './events.ts';
import { TlsError } from './reason.ts';
import { fail, type ReasonCode } from './reasons.ts';
import type { Port } from './port.ts';

/** What a finished pause brings back. */
export interface Resumption<Next = unknown> {
  /** The pause that it ends: the connection that waits there takes it, and no other. */
  readonly of: Pending<Next>;
  /** The next state. Throws what ends the connection. */
  proceed(port: Port): Next;
}

/**
 * A named pause: the engine waits for a signature or a verdict. Whoever drives the connection calls `run` once, waits
 * if it is a promise, and gives the result to `resume`. `run` never throws and never rejects.
 */
export interface Pending<Next = unknown> {
  readonly kind: Extract<Operation, 'sign' | 'validate-chain'>;
  run(): Resumption<Next> | Promise<Resumption<Next>>;
}

/**
 * A pause that does `work` and goes on with `proceed`; if the work breaks, the connection ends with `onError`. The
 * operation starts now and ends, for better or worse, when the connection is resumed.
 */
export function pause<Value, Next>(
  kind: Pending['kind'],
  onError: ReasonCode,
  port: Port,
  work: () => Value | Promise<Value>,
  proceed: (value: Value, port: Port) => Next,
): Pending<Next> {
  port.emit({ type: 'operation', operation: kind, phase: 'start' });
  const resume = (outcome: (port: Port) => Next): Resumption<Next> => ({
    of: pending,
    proceed(resumed) {
      resumed.emit({ type: 'operation', operation: kind, phase: 'end' });
      return outcome(resumed);
    },
  });
  const succeed = (value: Value): Resumption<Next> => resume((resumed) => proceed(value, resumed));
  const broken = (error: unknown): Resumption<Next> =>
    resume(() => {
      if (error instanceof TlsError) throw error;
      return fail(onError, error instanceof Error ? error.message : String(error));
    });
  const pending: Pending<Next> = {
    kind,
    run() {
      try {
        const value = work();
        return value instanceof Promise ? value.then(succeed, broken) : succeed(value);
      } catch (error) {
        return broken(error);
      }
    },
  };
  return pending;
}
