/** What answers may hold, so that nobody who writes objects can make one that no stream takes (4 MiB). */
export const GRAPH_LIMITS = {
  /** In one answer: each has at most about 1 KiB, with the longest names that Kubernetes allows. */
  endpoints: 4_000,
  /** At which one answer looks: those that are not ready or can't be told are passed over. */
  endpointsLooked: 40_000,
  /** Networks and single addresses together; each has at most 45 bytes. */
  networks: 50_000,
} as const;

export type GraphLimits = { readonly [Name in keyof typeof GRAPH_LIMITS]: number };
