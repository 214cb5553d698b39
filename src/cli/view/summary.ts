import { count, formatLeft } from './format.ts';
import type { Totals } from './snapshot.ts';

export interface Summary {
  readonly line: string;
  /** Why the run counts as failed; empty: it went well. */
  readonly faults: readonly string[];
}

/**
 * The last line of `up`, from what was really counted. A run in which nothing happened proved nothing, so with traffic
 * to send it counts as failed too, and so does what never came about (`unmet`, a sentence each).
 */
export function summarise(
  totals: Totals,
  milliseconds: number,
  sendsTraffic: boolean,
  unmet: readonly string[],
): Summary {
  const { requests, handshakes, resumedHandshakes, rotations, denials, failed, passed, undecided } = totals;
  const line = [
    `Sallyport ran ${formatLeft(milliseconds)}: ${count(requests, 'request')}`,
    count(handshakes, 'full mutual TLS 1.3 handshake'),
    count(rotations, 'certificate rotation'),
    count(denials, 'denial'),
    `${count(failed, 'permitted request')} failed`,
    `${count(passed, 'forbidden request')} passed`,
    ...(resumedHandshakes > 0 ? [count(resumedHandshakes, 'resumed handshake')] : []),
    ...(undecided > 0 ? [`${undecided} undecided while a policy changed`] : []),
  ].join(', ');
  const faults = [
    ...(failed > 0 ? [`${count(failed, 'request')} failed though policy permits them`] : []),
    ...(passed > 0 ? [`${count(passed, 'request')} passed though policy forbids them`] : []),
    ...(sendsTraffic && requests === 0 ? ['no request was sent'] : []),
    ...(sendsTraffic && requests > 0 && handshakes === 0 ? ['no handshake took place'] : []),
    ...unmet,
  ];
  return { line, faults };
}
