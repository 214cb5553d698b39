const SECOND = 1000;
const HOUR = 3600 * SECOND;

/** How many requests are answered: a bucket of `burst` that fills with `perSecond`. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

export const ISSUANCE_LIMITS = {
  /** A renewal by certificate needs a token attestation that is no older. */
  attestationMilliseconds: 24 * HOUR,
  /** Longest token, characters: those of Kubernetes have about 1,500. */
  tokenCharacters: 16_384,
  /** A token that is good for longer is refused, as it has to be remembered to its end. The kubelet renews after a day. */
  tokenMilliseconds: 25 * HOUR,
  /** Pods, or addresses, whose rate is remembered. */
  remembered: 50_000,
  /** Tokens whose key is remembered; one of a pod lives an hour. */
  tokens: 100_000,
  /** Of one pod. A sidecar in a crash loop asks every few seconds. */
  pod: { burst: 12, perSecond: 0.2 },
  /** Of tokens of one pod that were not seen before, or were by an earlier run: each is kept to its end. */
  token: { burst: 12, perSecond: 1 / 120 },
  /** Of one address, before anything is known of it. */
  address: { burst: 20, perSecond: 1 },
  /** Lines in the log about refusals to one address; what isn't logged is counted, and in the metrics. */
  lines: { burst: 30, perSecond: 0.2 },
  /** And to all addresses together. */
  linesOverall: { burst: 1000, perSecond: 20 },
  /** Of what a requester may have put into the detail of a refusal, characters in the log. */
  detailCharacters: 512,
  /** Of all together: a little more than one core signs. */
  overall: { burst: 2000, perSecond: 1000 },
} as const;

export interface IssuanceRates {
  readonly pod: Rate;
  readonly token: Rate;
  readonly address: Rate;
  readonly overall: Rate;
}
