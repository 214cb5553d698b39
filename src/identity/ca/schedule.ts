/** Times of a certificate, milliseconds since the Unix epoch. */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface RotationPlan {
  readonly action: 'prepare' | 'activate' | 'wait';
  /** When to look again: now, or for `wait` when something may be due. */
  readonly at: number;
}

/** Shares of the current intermediate's life after which its successor is made, and takes over. */
const PREPARE_AFTER = 1 / 2;
const ACTIVATE_AFTER = 2 / 3;

/**
 * What to do about the intermediates now. The successor is there long before it is needed, so that a full disk or a
 * wrong folder mode is noticed with time to spare; it takes over while every leaf still fits below the old one.
 * `latestEnd` is the root's not-after: an intermediate that ends with the root has no better successor.
 */
export function rotationPlan(
  current: Validity,
  next: Validity | undefined,
  latestEnd: number,
  now: number,
): RotationPlan {
  if (next === undefined && current.notAfter >= latestEnd) return { action: 'wait', at: latestEnd };
  const life = current.notAfter - current.notBefore;
  const prepareAt = current.notBefore + life * PREPARE_AFTER;
  const activateAt = current.notBefore + life * ACTIVATE_AFTER;
  if (next === undefined) {
    return now >= prepareAt ? { action: 'prepare', at: now } : { action: 'wait', at: prepareAt };
  }
  return now >= activateAt ? { action: 'activate', at: now } : { action: 'wait', at: activateAt };
}
