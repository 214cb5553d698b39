import type { Operation } from './events.ts';
import { TlsError } from './reason.ts';
import { fail, type ReasonCode } from './reasons.ts';
import type { Port } from './port.ts';

/** What a finished pause brings back; only the connection it came from can use it. */
export interface Resumption<Next = unknown> {
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

/** A pause that does `work` and goes on with `proceed`; if the work breaks, the connection ends with `onError`. */
export function pause<Value, Next>(
  kind: Pending['kind'],
  onError: ReasonCode,
  work: () => Value | Promise<Value>,
  proceed: (value: Value, port: Port) => Next,
): Pending<Next> {
  const succeed = (value: Value): Resumption<Next> => ({ proceed: (port) => proceed(value, port) });
  const broken = (error: unknown): Resumption<Next> => ({
    proceed: () => {
      if (error instanceof TlsError) throw error;
      return fail(onError, error instanceof Error ? error.message : String(error));
    },
  });
  return {
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
}
