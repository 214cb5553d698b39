import { type SpiffeId, serviceAccountId } from '#identity';
import { compileConditions } from '../match/condition.ts';
import { Subject } from '../match/subject.ts';
import { YES } from '../match/verdict.ts';
import type { PeerMatch, PolicyContext } from '../model.ts';

/**
 * True for an entry that no identity can meet, as one that asks for an account of `shop` in namespace `pay`: most likely
 * an OR was meant, which is two entries. An Allow would just not work; a Deny would silently let pass.
 */
export function isImpossible(match: PeerMatch, { trustDomain }: PolicyContext): boolean {
  const { identities, serviceAccounts, namespaces, trustDomains } = match;
  const candidates = identities ?? accountsOf(match, trustDomain);
  if (candidates === undefined) return false;
  const conditions = compileConditions(
    { identities, serviceAccounts, namespaces, trustDomains },
    trustDomain,
  );
  return !candidates.some((peer) => {
    const subject = new Subject({ peer, address: '', port: 0, workload: NOWHERE });
    return conditions.every((condition) => condition.test(subject) === YES);
  });
}

function accountsOf(
  { serviceAccounts, trustDomains }: PeerMatch,
  own: string,
): readonly SpiffeId[] | undefined {
  return serviceAccounts?.flatMap(({ namespace, name }) =>
    (trustDomains ?? [own]).map((domain) => serviceAccountId(domain, namespace, name)),
  );
}

const NOWHERE = { namespace: '', serviceAccount: '', name: '', labels: {} };
