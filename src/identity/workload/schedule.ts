/** What a renewal goes by. Times are milliseconds since the Unix epoch, by the workload's own clock. */
export interface RenewalInput {
  /** When the certificate came. Its notBefore lies earlier, as issuers backdate it. */
  readonly obtainedAt: number;
  readonly notAfter: number;
  /** In [0, 1). */
  readonly random: number;
  /** Renews at least this often, however long the certificate lives. */
  readonly renewEvery: number | undefined;
}

/** Renewals start when this share of the life is over, and up to `JITTER` of the waiting time earlier; never later. */
const SHARE_OF_LIFE = 1 / 3;
const JITTER = 0.1;
/** Whatever `renewEvery` says, an authority is not asked more often than this. */
const SHORTEST_WAIT_MILLISECONDS = 1000;

/**
 * When to start renewing. A third of 6 hours leaves 4 hours in which the authority may be down; the jitter keeps
 * workloads that started together from asking together. A certificate that has ended already is renewed at once.
 */
export function renewalTime({ obtainedAt, notAfter, random, renewEvery }: RenewalInput): number {
  const latest = Math.max(notAfter - obtainedAt, 0) * SHARE_OF_LIFE;
  const wait = Math.min(latest, Math.max(renewEvery ?? latest, SHORTEST_WAIT_MILLISECONDS));
  return obtainedAt + wait * (1 - JITTER * random);
}
