const SECOND = 1000;
const MINUTE = 60 * SECOND;

export const POD_CERTIFICATE_LIMITS = {
  /** The API server takes a notBefore within five minutes of its own time: this leaves three for our clock and a queue. */
  backdateMilliseconds: 2 * MINUTE,
  /** KEP-4317: a shorter certificate is refused by the API server. */
  leastMilliseconds: 60 * MINUTE,
  /** Requests that wait at a time; each is a few hundred bytes. A cluster has about as many as pods start. */
  pending: 20_000,
  /** Answered at the same time. */
  atOnce: 16,
  /** The pod of a request may become known here a little later. After that it won't. */
  unknownPodMilliseconds: 30 * SECOND,
  firstRetryMilliseconds: SECOND,
  longestRetryMilliseconds: MINUTE,
  /** A certificate that could not be written is written again for this long, and not made anew. */
  answerMilliseconds: MINUTE,
  /** Of one node: a kubelet asks once for each volume of a pod that starts. */
  node: { burst: 200, perSecond: 20 },
  /** Nodes whose rate is remembered. */
  nodes: 10_000,
} as const;
