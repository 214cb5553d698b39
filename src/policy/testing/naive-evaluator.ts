import { BlockList, isIP } from 'node:net';
import type { ConnectionFacts, Workload } from '../decision.ts';
import type { PolicyDefaults, TlsMode } from '../model.ts';
import { ROOT_NAMESPACE, TRUST_DOMAIN } from './arbitraries.ts';

/** Documents as they stand in a file. */
export interface RawEntry {
  peer?: 'Any' | 'Authenticated' | 'Unauthenticated';
  identities?: string[];
  serviceAccounts?: { name: string; namespace: string }[];
  namespaces?: string[];
  trustDomains?: string[];
  labels?: Record<string, string>;
  cidrs?: string[];
}
export interface RawRule {
  from: RawEntry[];
  to?: { ports: number[] }[];
}
interface RawTarget {
  targetRef?: { kind: 'ServiceAccount'; name: string };
  selector?: { matchLabels: Record<string, string> };
}
interface RawDocument {
  apiVersion: string;
  metadata: { name: string; namespace: string };
}
export interface RawPolicy extends RawDocument {
  kind: 'MeshPolicy';
  spec: RawTarget & { action: 'Allow' | 'Deny'; enforcement?: 'Enforce' | 'Shadow'; rules: RawRule[] };
}
export interface RawTls extends RawDocument {
  kind: 'MeshTLS';
  spec: RawTarget & { mode?: TlsMode; ports?: { port: number; mode: TlsMode }[] };
}

type Answer = 'yes' | 'no' | 'unknown';

/** docs/policy.md word for word, with no index, no precompiled set and Node's own CIDR matching: the oracle. */
export function naiveEvaluate(
  policies: readonly RawPolicy[],
  tls: readonly RawTls[],
  defaults: PolicyDefaults,
  facts: ConnectionFacts,
): { readonly allowed: boolean; readonly code: string } {
  const mode = naiveTlsMode(tls, defaults, facts.workload, facts.port);
  if (facts.peer === undefined && mode === 'Strict') return { allowed: false, code: 'plaintext-refused' };
  const enforced = policies.filter(
    (policy) => policy.spec.enforcement !== 'Shadow' && selects(policy, facts.workload),
  );
  const answers = (action: 'Allow' | 'Deny'): Answer[] =>
    enforced
      .filter((policy) => policy.spec.action === action)
      .flatMap((policy) => policy.spec.rules.map((rule) => askRule(rule, facts)));
  if (answers('Deny').includes('yes')) return { allowed: false, code: 'denied-by-policy' };
  if (answers('Deny').includes('unknown')) return { allowed: false, code: 'denial-not-ruled-out' };
  if (answers('Allow').includes('yes')) return { allowed: true, code: 'allowed-by-policy' };
  const noAllowSelects = enforced.every((policy) => policy.spec.action !== 'Allow');
  if (noAllowSelects && defaults.unselected === 'AllowAuthenticated') {
    return {
      allowed: true,
      code: facts.peer === undefined ? 'plaintext-allowed-by-default' : 'allowed-by-default',
    };
  }
  return { allowed: false, code: 'unmatched' };
}

export function naiveTlsMode(
  tls: readonly RawTls[],
  defaults: PolicyDefaults,
  workload: Workload,
  port: number,
): TlsMode {
  const local = (document: RawTls): boolean => document.metadata.namespace === workload.namespace;
  const targeted = ({ spec }: RawTls): boolean => spec.targetRef !== undefined || spec.selector !== undefined;
  const holding = tls.filter((document) => selects(document, workload));
  const levels = [
    holding.filter((document) => local(document) && targeted(document)),
    holding.filter((document) => !local(document) && targeted(document)),
    holding.filter((document) => local(document) && !targeted(document)),
    holding.filter((document) => !local(document) && !targeted(document)),
  ];
  for (const level of levels) {
    const forPort = level.flatMap(({ spec }) => (spec.ports ?? []).filter((entry) => entry.port === port));
    const said =
      forPort.length > 0 ? forPort.map((entry) => entry.mode) : level.flatMap(({ spec }) => spec.mode ?? []);
    for (const mode of ['Strict', 'Permissive', 'Disabled'] as const) if (said.includes(mode)) return mode;
  }
  return defaults.tlsMode;
}

function selects({ metadata, spec }: RawPolicy | RawTls, workload: Workload): boolean {
  if (metadata.namespace !== workload.namespace && metadata.namespace !== ROOT_NAMESPACE) return false;
  if (spec.targetRef !== undefined) return spec.targetRef.name === workload.serviceAccount;
  if (spec.selector === undefined) return true;
  return Object.entries(spec.selector.matchLabels).every(([key, value]) => workload.labels[key] === value);
}

function askRule({ from, to }: RawRule, facts: ConnectionFacts): Answer {
  if (to !== undefined && !to.some(({ ports }) => ports.includes(facts.port))) return 'no';
  const answers = from.map((entry) => askEntry(entry, facts));
  if (answers.includes('yes')) return 'yes';
  return answers.includes('unknown') ? 'unknown' : 'no';
}

function askEntry(entry: RawEntry, facts: ConnectionFacts): Answer {
  const answers = Object.keys(entry).map((field) => askField(entry, field as keyof RawEntry, facts));
  if (answers.includes('no')) return 'no';
  return answers.includes('unknown') ? 'unknown' : 'yes';
}

function askField(
  entry: RawEntry,
  field: keyof RawEntry,
  { peer, peerLabels, address }: ConnectionFacts,
): Answer {
  const answer = (holds: boolean): Answer => (holds ? 'yes' : 'no');
  if (field === 'peer') {
    if (entry.peer === 'Any') return 'yes';
    return answer((peer === undefined) === (entry.peer === 'Unauthenticated'));
  }
  if (field === 'cidrs') {
    const bare = address.split('%')[0] ?? '';
    if (isIP(bare) === 0) return 'unknown';
    return answer((entry.cidrs ?? []).some((cidr) => inCidr(cidr, bare)));
  }
  if (peer === undefined) return 'unknown';
  const domains = entry.trustDomains ?? [TRUST_DOMAIN];
  const shaped = (namespace: string, name: string): boolean =>
    domains.some((domain) => peer.toString() === `spiffe://${domain}/ns/${namespace}/sa/${name}`);
  if (field === 'trustDomains') return answer(domains.includes(peer.trustDomain));
  if (field === 'identities') return answer((entry.identities ?? []).includes(peer.toString()));
  if (field === 'serviceAccounts') {
    return answer((entry.serviceAccounts ?? []).some(({ namespace, name }) => shaped(namespace, name)));
  }
  if (field === 'namespaces') {
    const own = peer.path.split('/');
    return answer((entry.namespaces ?? []).some((namespace) => shaped(namespace, own[4] ?? '')));
  }
  if (peerLabels === undefined) return 'unknown';
  return answer(Object.entries(entry.labels ?? {}).every(([key, value]) => peerLabels[key] === value));
}

/** IPv4-mapped addresses are IPv4; Node's BlockList would also find them in `::/0`. */
function inCidr(cidr: string, address: string): boolean {
  const mapped = address.toLowerCase().startsWith('::ffff:') && address.includes('.');
  const bare = mapped ? address.slice('::ffff:'.length) : address;
  const [network = '', prefix = ''] = cidr.split('/');
  const family = network.includes(':') ? 'ipv6' : 'ipv4';
  if ((isIP(bare) === 6) !== (family === 'ipv6')) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(prefix), family);
  return list.check(bare, family);
}
