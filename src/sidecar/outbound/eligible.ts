import { type EndpointSet, keyOf, type ServiceEndpoint, type Whereabouts } from './endpoint-set.ts';

/** An endpoint with its key. */
export interface Candidate {
  readonly key: string;
  readonly endpoint: ServiceEndpoint;
}

/** What was worked out of a set once: endpoints that may be called at all, in the order of their keys. */
export interface SortedSet {
  readonly set: EndpointSet;
  readonly ready: readonly Candidate[];
  /** The last resort. */
  readonly terminating: readonly Candidate[];
}

export interface Query {
  /** Keys of endpoints that this call has tried. */
  readonly tried: ReadonlySet<string>;
  /** This call tried one with a sidecar and failed: what follows must not be plaintext. */
  readonly meshedOnly: boolean;
  readonly isOut: (key: string) => boolean;
  /** Returns a number in [0, 1). */
  readonly random: () => number;
  /** If less than this share of the endpoints is not ejected, a first try may go to every one of them. */
  readonly panicShare: number;
}

export function sorted(set: EndpointSet, here: Whereabouts): SortedSet {
  const unique = new Map(set.endpoints.map((endpoint) => [keyOf(endpoint), endpoint]));
  const all = [...unique].map(([key, endpoint]) => ({ key, endpoint }));
  const allowed = all
    .filter(({ endpoint }) => set.internalTrafficPolicy !== 'Local' || isOn(here.node, endpoint.node))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const { ready = [], terminating = [] } = Object.groupBy(allowed, ({ endpoint }) =>
    endpoint.terminating === true ? 'terminating' : 'ready',
  );
  return { set, ready, terminating };
}

/** Among whom this try is decided, in the order of their keys. Empty: nobody is left. */
export function eligible(
  { set, ready, terminating }: SortedSet,
  here: Whereabouts,
  query: Query,
): readonly Candidate[] {
  for (const tier of [ready, terminating]) {
    const left = tier.filter(
      ({ key, endpoint }) => !query.tried.has(key) && (!query.meshedOnly || endpoint.kind === 'meshed'),
    );
    if (left.length > 0) return nearest(unejected(ofOneKind(left, query), query), set, here);
  }
  return [];
}

/**
 * Where some endpoints have a sidecar and others don't, their numbers alone decide how many calls go in plaintext, and
 * not how they fare: else whoever breaks handshakes would have more of them.
 */
function ofOneKind(candidates: readonly Candidate[], { random }: Query): readonly Candidate[] {
  const { meshed = [], unmeshed = [] } = Object.groupBy(candidates, ({ endpoint }) => endpoint.kind);
  if (meshed.length === 0 || unmeshed.length === 0) return candidates;
  return random() * candidates.length < meshed.length ? meshed : unmeshed;
}

/**
 * Ejected endpoints are left out while enough others are there to bear their load. A further try of a call goes to one
 * that works, if there is any: it must not fail for the sake of balance.
 */
function unejected(
  candidates: readonly Candidate[],
  { isOut, panicShare, tried }: Query,
): readonly Candidate[] {
  const working = candidates.filter(({ key }) => !isOut(key));
  if (working.length === 0) return candidates;
  return tried.size === 0 && working.length < candidates.length * panicShare ? candidates : working;
}

function nearest(
  candidates: readonly Candidate[],
  { trafficDistribution }: EndpointSet,
  here: Whereabouts,
): readonly Candidate[] {
  if (trafficDistribution === undefined) return candidates;
  const onNode = candidates.filter(({ endpoint }) => isOn(here.node, endpoint.node));
  if (trafficDistribution === 'PreferSameNode' && onNode.length > 0) return onNode;
  const inZone = candidates.filter(({ endpoint }) => isOn(here.zone, endpoint.zone));
  return inZone.length > 0 ? inZone : candidates;
}

/** What is not known is nowhere near. */
function isOn(ours: string | undefined, theirs: string | undefined): boolean {
  return ours !== undefined && ours === theirs;
}
