import { type SpiffeId, serviceAccountId } from '#identity';
import type { DiscoveryResponse } from '#rpc';
import type { Answer, AnsweredEndpoint, Party } from '../graph/answer.ts';

export interface Key {
  readonly address: string;
  readonly port: number;
}

type AnswerMessage = NonNullable<DiscoveryResponse['answer']>;
type PartyMessage = NonNullable<NonNullable<AnswerMessage['workload']>['party']>;

/** An answer as the message that every stream gets that asked for it. */
export function answerResponse(
  key: Key,
  version: string,
  answer: Answer,
  trustDomain: string,
): DiscoveryResponse {
  switch (answer.kind) {
    case 'unknown':
      return { answer: { key, version, unknown: {} } };
    case 'workload':
      return {
        answer: { key, version, workload: { name: answer.name, party: partyOf(answer.party, trustDomain) } },
      };
    case 'service': {
      const { affinityMilliseconds = 0, endpoints, local, name, trafficDistribution = '' } = answer;
      const service = {
        name,
        endpoints: endpoints.map((one) => endpointOf(one, trustDomain)),
        affinityMilliseconds,
        local,
        trafficDistribution,
      };
      return { answer: { key, version, service } };
    }
  }
}

function endpointOf({ node = '', zone = '', party, ...rest }: AnsweredEndpoint, trustDomain: string) {
  return { ...rest, node, zone, party: partyOf(party, trustDomain) };
}

function partyOf(party: Party, trustDomain: string): PartyMessage {
  if (party.kind === 'unmeshed') return { unmeshed: { pod: party.pod } };
  const id: SpiffeId = serviceAccountId(trustDomain, party.namespace, party.serviceAccount);
  return { meshed: { identities: [id.toString()] } };
}
