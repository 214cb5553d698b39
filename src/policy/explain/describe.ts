import type { ConnectionFacts } from '../decision.ts';
import type { Subject } from '../match/subject.ts';
import type { PeerMatch } from '../model.ts';

/** The caller in an operator's words. */
export function describePeer({ peer, address }: ConnectionFacts): string {
  return peer === undefined ? `a peer without identity at ${address}` : `${peer.toString()} at ${address}`;
}

export function describeWorkload({ workload, port }: ConnectionFacts): string {
  return `${workload.namespace}/${workload.serviceAccount} port ${port}`;
}

/** Why one field of an entry does not hold for this connection, or cannot be told. */
export function describeMiss(field: keyof PeerMatch, match: PeerMatch, subject: Subject): string {
  return `${field} ${MISSES[field](match, subject)}`;
}

const NO_IDENTITY = 'cannot be told of a peer without identity';

const MISSES: Readonly<Record<keyof PeerMatch, (match: PeerMatch, subject: Subject) => string>> = {
  peer: ({ peer }, { facts }) => {
    return `asks for ${peer ?? 'Any'}, and the peer ${facts.peer === undefined ? 'has no identity' : 'is authenticated'}`;
  },
  identities: ({ identities }, { facts }) => {
    return misses(identities?.map(String), facts.peer?.toString());
  },
  serviceAccounts: ({ serviceAccounts, trustDomains }, subject) => {
    const { peer } = subject.facts;
    const { account } = subject;
    const listed = serviceAccounts?.map(({ namespace, name }) => `${namespace}/${name}`);
    if (peer === undefined) return NO_IDENTITY;
    if (account === undefined) return `${list(listed)}, and the peer's identity names no service account`;
    const own = `${account.namespace}/${account.serviceAccount}`;
    if (trustDomains === undefined && listed?.includes(own) === true) return foreign(peer.trustDomain);
    return misses(listed, own);
  },
  namespaces: ({ namespaces, trustDomains }, subject) => {
    const { peer } = subject.facts;
    const { account } = subject;
    if (peer === undefined) return NO_IDENTITY;
    if (account === undefined) return `${list(namespaces)}, and the peer's identity names no namespace`;
    if (trustDomains === undefined && namespaces?.includes(account.namespace) === true)
      return foreign(peer.trustDomain);
    return misses(namespaces, account.namespace);
  },
  trustDomains: ({ trustDomains }, { facts }) => misses(trustDomains, facts.peer?.trustDomain),
  labels: ({ labels = {} }, { facts }) => {
    if (facts.peer === undefined) return NO_IDENTITY;
    const wanted = list(Object.entries(labels).map(([key, value]) => `${key}=${value}`));
    if (facts.peerLabels === undefined) return `${wanted}, and the peer's labels are not known`;
    return `${wanted}, and the peer's labels differ`;
  },
  cidrs: ({ cidrs }, subject) => {
    const { address } = subject.facts;
    const listed = cidrs?.map(({ text }) => text);
    return subject.address === undefined
      ? `${list(listed)}, and ${JSON.stringify(address)} is no IP address`
      : misses(listed, address);
  },
};

function foreign(trustDomain: string): string {
  return `mean this mesh's own trust domain, and the peer is of ${trustDomain}`;
}

function misses(listed: readonly string[] | undefined, own: string | undefined): string {
  return own === undefined ? NO_IDENTITY : `${list(listed)}, and the peer is ${own}`;
}

/** A denial's text must stay short, however long the list. */
const SHOWN = 3;

function list(values: readonly string[] = []): string {
  const shown = values.slice(0, SHOWN).join(', ');
  const more = values.length - SHOWN;
  return `list ${shown}${more > 0 ? ` and ${more} more` : ''}`;
}
