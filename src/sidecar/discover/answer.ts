import { parseSpiffeId, type SpiffeId } from '#identity';
import { formatAddress, parseAddress } from '#policy';
import { err, ok, type Result } from '#runtime';
import type { DiscoveryResponse__Output } from '#rpc';
import type { EndpointSet, ServiceEndpoint } from '../outbound/endpoint-set.ts';

/** An answer of the controller, parsed. */
export type Answer =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'workload'; readonly name: string; readonly party: Party }
  | {
      readonly kind: 'service';
      readonly name: string;
      readonly endpoints: EndpointSet;
      /** Those whose address nobody else may have by tomorrow; the same set where that is all of them. */
      readonly lasting: EndpointSet;
    };

export type Party =
  | { readonly kind: 'meshed'; readonly identities: readonly SpiffeId[] }
  /** `lasting`: it is no pod's address, so it holds without a lease. */
  | { readonly kind: 'unmeshed'; readonly lasting: boolean };

type AnswerMessage = NonNullable<DiscoveryResponse__Output['answer']>;
type ServiceMessage = NonNullable<AnswerMessage['service']>;
type EndpointMessage = ServiceMessage['endpoints'][number];

/** Undefined: as before. An error says what of it can't be used. */
export function parseAnswer(message: AnswerMessage): Result<Answer | undefined, string> {
  switch (message.answer) {
    case 'unchanged':
      return ok(undefined);
    case 'workload': {
      const party = parseParty(message.workload?.party);
      if (!party.ok) return party;
      return ok({ kind: 'workload', name: message.workload?.name ?? '', party: party.value });
    }
    case 'service':
      return message.service ? parseService(message.service, message.key?.port ?? 0) : UNKNOWN;
    case 'unknown':
    case undefined:
      break;
  }
  return UNKNOWN;
}

const UNKNOWN: Result<Answer, never> = ok({ kind: 'unknown' });

function parseService(message: ServiceMessage, port: number): Result<Answer, string> {
  const endpoints: ServiceEndpoint[] = [];
  const lasting: ServiceEndpoint[] = [];
  for (const each of message.endpoints) {
    const party = parseParty(each.party);
    if (!party.ok) return party;
    const endpoint = parseEndpoint(each, party.value);
    if (!endpoint.ok) return endpoint;
    endpoints.push(endpoint.value);
    if (party.value.kind === 'meshed' || party.value.lasting) lasting.push(endpoint.value);
  }
  const common = {
    service: `${message.name}:${port}`,
    ...(message.affinityMilliseconds > 0 ? { affinityMilliseconds: message.affinityMilliseconds } : {}),
    ...(message.local ? { internalTrafficPolicy: 'Local' as const } : {}),
    ...distributionOf(message.trafficDistribution),
  };
  const all = { ...common, endpoints };
  return ok({
    kind: 'service',
    name: message.name,
    endpoints: all,
    lasting: lasting.length === endpoints.length ? all : { ...common, endpoints: lasting },
  });
}

function distributionOf(text: string): Pick<EndpointSet, 'trafficDistribution'> {
  return text === 'PreferSameNode' || text === 'PreferSameZone' ? { trafficDistribution: text } : {};
}

function parseEndpoint(
  { address, node, port, terminating, zone }: EndpointMessage,
  party: Party,
): Result<ServiceEndpoint, string> {
  const words = parseAddress(address);
  if (words === undefined || port < 1 || port > MOST_PORT) return err(`no endpoint: ${address} ${port}`);
  const more = {
    ...(node === '' ? {} : { node }),
    ...(zone === '' ? {} : { zone }),
    ...(terminating ? { terminating } : {}),
  };
  const at = { host: formatAddress(words), port };
  return ok(
    party.kind === 'meshed'
      ? { kind: 'meshed', address: at, port, identities: party.identities, ...more }
      : { kind: 'unmeshed', address: at, ...more },
  );
}

const MOST_PORT = 65_535;

function parseParty(message: EndpointMessage['party'] | undefined): Result<Party, string> {
  if (message?.party === 'unmeshed')
    return ok({ kind: 'unmeshed', lasting: message.unmeshed?.pod === false });
  if (message?.party !== 'meshed') return err('neither meshed nor unmeshed');
  const identities: SpiffeId[] = [];
  for (const text of message.meshed?.identities ?? []) {
    const parsed = parseSpiffeId(text);
    if (!parsed.ok) return parsed;
    identities.push(parsed.value);
  }
  return identities.length > 0 ? ok({ kind: 'meshed', identities }) : err('meshed, without an identity');
}
