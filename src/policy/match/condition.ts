import type { PeerKind, PeerMatch } from '../model.ts';
import { type Cidr, contains } from './cidr.ts';
import type { Subject } from './subject.ts';
import { known, NO, UNKNOWN, type Verdict, YES } from './verdict.ts';

/** One field of a `from` entry, compiled. */
export interface Condition {
  readonly field: keyof PeerMatch;
  test(subject: Subject): Verdict;
}

/**
 * The conditions of an entry, cheapest first. `trustDomain` is the mesh's own: without `trustDomains` beside them,
 * `serviceAccounts` and `namespaces` mean that one alone, or a federated domain could mint a service account of ours.
 */
export function compileConditions(match: PeerMatch, trustDomain: string): readonly Condition[] {
  const domains = new Set(match.trustDomains ?? [trustDomain]);
  const conditions: Condition[] = [];
  if (match.peer !== undefined) conditions.push(peerCondition(match.peer));
  if (match.trustDomains !== undefined) conditions.push(trustDomainsCondition(domains));
  if (match.identities !== undefined) conditions.push(identitiesCondition(match.identities));
  if (match.serviceAccounts !== undefined)
    conditions.push(serviceAccountsCondition(match.serviceAccounts, domains));
  if (match.namespaces !== undefined) conditions.push(namespacesCondition(match.namespaces, domains));
  if (match.labels !== undefined) conditions.push(labelsCondition(match.labels));
  if (match.cidrs !== undefined) conditions.push(cidrsCondition(match.cidrs));
  return conditions;
}

/** Fields which a peer without identity leaves unanswered. */
export const IDENTITY_FIELDS: ReadonlySet<keyof PeerMatch> = new Set([
  'identities',
  'serviceAccounts',
  'namespaces',
  'trustDomains',
  'labels',
]);

function peerCondition(kind: PeerKind): Condition {
  const test = (subject: Subject): Verdict => {
    if (kind === 'Any') return YES;
    return known((subject.facts.peer !== undefined) === (kind === 'Authenticated'));
  };
  return { field: 'peer', test };
}

function trustDomainsCondition(domains: ReadonlySet<string>): Condition {
  const test = ({ facts: { peer } }: Subject): Verdict =>
    peer === undefined ? UNKNOWN : known(domains.has(peer.trustDomain));
  return { field: 'trustDomains', test };
}

/** Compares the parsed parts, never a text put together from what a peer sent. */
function identitiesCondition(identities: NonNullable<PeerMatch['identities']>): Condition {
  const paths = group(identities.map((id) => [id.trustDomain, id.path]));
  const test = ({ facts: { peer } }: Subject): Verdict =>
    peer === undefined ? UNKNOWN : known(paths.get(peer.trustDomain)?.has(peer.path) === true);
  return { field: 'identities', test };
}

function serviceAccountsCondition(
  accounts: NonNullable<PeerMatch['serviceAccounts']>,
  domains: ReadonlySet<string>,
): Condition {
  const names = group(accounts.map(({ namespace, name }) => [namespace, name]));
  const test = (subject: Subject): Verdict => {
    const { peer } = subject.facts;
    if (peer === undefined) return UNKNOWN;
    const { account } = subject;
    if (account === undefined || !domains.has(peer.trustDomain)) return NO;
    return known(names.get(account.namespace)?.has(account.serviceAccount) === true);
  };
  return { field: 'serviceAccounts', test };
}

function namespacesCondition(namespaces: readonly string[], domains: ReadonlySet<string>): Condition {
  const names = new Set(namespaces);
  const test = (subject: Subject): Verdict => {
    const { peer } = subject.facts;
    if (peer === undefined) return UNKNOWN;
    const { account } = subject;
    return known(account !== undefined && domains.has(peer.trustDomain) && names.has(account.namespace));
  };
  return { field: 'namespaces', test };
}

function labelsCondition(labels: Readonly<Record<string, string>>): Condition {
  const wanted = Object.entries(labels);
  // Labels of a plaintext peer would be looked up by its address, which proves nothing: they count as unknown.
  const test = ({ facts: { peer, peerLabels } }: Subject): Verdict =>
    peer === undefined || peerLabels === undefined ? UNKNOWN : known(hasLabels(peerLabels, wanted));
  return { field: 'labels', test };
}

function cidrsCondition(cidrs: readonly Cidr[]): Condition {
  const test = ({ address }: Subject): Verdict =>
    address === undefined ? UNKNOWN : known(cidrs.some((cidr) => contains(cidr, address)));
  return { field: 'cidrs', test };
}

/** True when every wanted label is an own property with that value. */
export function hasLabels(
  labels: Readonly<Record<string, string>>,
  wanted: readonly (readonly [string, string])[],
): boolean {
  return wanted.every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);
}

function group(pairs: readonly (readonly [string, string])[]): ReadonlyMap<string, ReadonlySet<string>> {
  const groups = new Map<string, Set<string>>();
  for (const [key, value] of pairs) {
    const values = groups.get(key) ?? new Set();
    groups.set(key, values.add(value));
  }
  return groups;
}
