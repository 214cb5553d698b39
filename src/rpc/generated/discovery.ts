// Written by scripts/protocol.ts. Do not edit.
import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { Answer as _sallyport_v1_Answer, Answer__Output as _sallyport_v1_Answer__Output } from './sallyport/v1/Answer.ts';
import type { Circumstances as _sallyport_v1_Circumstances, Circumstances__Output as _sallyport_v1_Circumstances__Output } from './sallyport/v1/Circumstances.ts';
import type { DiscoveryClient as _sallyport_v1_DiscoveryClient, DiscoveryDefinition as _sallyport_v1_DiscoveryDefinition } from './sallyport/v1/Discovery.ts';
import type { DiscoveryRequest as _sallyport_v1_DiscoveryRequest, DiscoveryRequest__Output as _sallyport_v1_DiscoveryRequest__Output } from './sallyport/v1/DiscoveryRequest.ts';
import type { DiscoveryResponse as _sallyport_v1_DiscoveryResponse, DiscoveryResponse__Output as _sallyport_v1_DiscoveryResponse__Output } from './sallyport/v1/DiscoveryResponse.ts';
import type { Endpoint as _sallyport_v1_Endpoint, Endpoint__Output as _sallyport_v1_Endpoint__Output } from './sallyport/v1/Endpoint.ts';
import type { Key as _sallyport_v1_Key, Key__Output as _sallyport_v1_Key__Output } from './sallyport/v1/Key.ts';
import type { Known as _sallyport_v1_Known, Known__Output as _sallyport_v1_Known__Output } from './sallyport/v1/Known.ts';
import type { Meshed as _sallyport_v1_Meshed, Meshed__Output as _sallyport_v1_Meshed__Output } from './sallyport/v1/Meshed.ts';
import type { Networks as _sallyport_v1_Networks, Networks__Output as _sallyport_v1_Networks__Output } from './sallyport/v1/Networks.ts';
import type { Party as _sallyport_v1_Party, Party__Output as _sallyport_v1_Party__Output } from './sallyport/v1/Party.ts';
import type { PlaintextSeen as _sallyport_v1_PlaintextSeen, PlaintextSeen__Output as _sallyport_v1_PlaintextSeen__Output } from './sallyport/v1/PlaintextSeen.ts';
import type { Policies as _sallyport_v1_Policies, Policies__Output as _sallyport_v1_Policies__Output } from './sallyport/v1/Policies.ts';
import type { PoliciesKnown as _sallyport_v1_PoliciesKnown, PoliciesKnown__Output as _sallyport_v1_PoliciesKnown__Output } from './sallyport/v1/PoliciesKnown.ts';
import type { PolicyObject as _sallyport_v1_PolicyObject, PolicyObject__Output as _sallyport_v1_PolicyObject__Output } from './sallyport/v1/PolicyObject.ts';
import type { Position as _sallyport_v1_Position, Position__Output as _sallyport_v1_Position__Output } from './sallyport/v1/Position.ts';
import type { Reject as _sallyport_v1_Reject, Reject__Output as _sallyport_v1_Reject__Output } from './sallyport/v1/Reject.ts';
import type { Renew as _sallyport_v1_Renew, Renew__Output as _sallyport_v1_Renew__Output } from './sallyport/v1/Renew.ts';
import type { Renewed as _sallyport_v1_Renewed, Renewed__Output as _sallyport_v1_Renewed__Output } from './sallyport/v1/Renewed.ts';
import type { Report as _sallyport_v1_Report, Report__Output as _sallyport_v1_Report__Output } from './sallyport/v1/Report.ts';
import type { ServicePort as _sallyport_v1_ServicePort, ServicePort__Output as _sallyport_v1_ServicePort__Output } from './sallyport/v1/ServicePort.ts';
import type { Start as _sallyport_v1_Start, Start__Output as _sallyport_v1_Start__Output } from './sallyport/v1/Start.ts';
import type { Subscribe as _sallyport_v1_Subscribe, Subscribe__Output as _sallyport_v1_Subscribe__Output } from './sallyport/v1/Subscribe.ts';
import type { Unchanged as _sallyport_v1_Unchanged, Unchanged__Output as _sallyport_v1_Unchanged__Output } from './sallyport/v1/Unchanged.ts';
import type { Unknown as _sallyport_v1_Unknown, Unknown__Output as _sallyport_v1_Unknown__Output } from './sallyport/v1/Unknown.ts';
import type { Unmeshed as _sallyport_v1_Unmeshed, Unmeshed__Output as _sallyport_v1_Unmeshed__Output } from './sallyport/v1/Unmeshed.ts';
import type { Unsubscribe as _sallyport_v1_Unsubscribe, Unsubscribe__Output as _sallyport_v1_Unsubscribe__Output } from './sallyport/v1/Unsubscribe.ts';
import type { Workload as _sallyport_v1_Workload, Workload__Output as _sallyport_v1_Workload__Output } from './sallyport/v1/Workload.ts';
import type { WouldDeny as _sallyport_v1_WouldDeny, WouldDeny__Output as _sallyport_v1_WouldDeny__Output } from './sallyport/v1/WouldDeny.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  sallyport: {
    v1: {
      Answer: MessageTypeDefinition<_sallyport_v1_Answer, _sallyport_v1_Answer__Output>
      Circumstances: MessageTypeDefinition<_sallyport_v1_Circumstances, _sallyport_v1_Circumstances__Output>
      /**
       * Who stands behind an address, told as it changes.
       */
      Discovery: SubtypeConstructor<typeof grpc.Client, _sallyport_v1_DiscoveryClient> & { service: _sallyport_v1_DiscoveryDefinition }
      DiscoveryRequest: MessageTypeDefinition<_sallyport_v1_DiscoveryRequest, _sallyport_v1_DiscoveryRequest__Output>
      DiscoveryResponse: MessageTypeDefinition<_sallyport_v1_DiscoveryResponse, _sallyport_v1_DiscoveryResponse__Output>
      Endpoint: MessageTypeDefinition<_sallyport_v1_Endpoint, _sallyport_v1_Endpoint__Output>
      Key: MessageTypeDefinition<_sallyport_v1_Key, _sallyport_v1_Key__Output>
      Known: MessageTypeDefinition<_sallyport_v1_Known, _sallyport_v1_Known__Output>
      Meshed: MessageTypeDefinition<_sallyport_v1_Meshed, _sallyport_v1_Meshed__Output>
      Networks: MessageTypeDefinition<_sallyport_v1_Networks, _sallyport_v1_Networks__Output>
      Party: MessageTypeDefinition<_sallyport_v1_Party, _sallyport_v1_Party__Output>
      PlaintextSeen: MessageTypeDefinition<_sallyport_v1_PlaintextSeen, _sallyport_v1_PlaintextSeen__Output>
      Policies: MessageTypeDefinition<_sallyport_v1_Policies, _sallyport_v1_Policies__Output>
      PoliciesKnown: MessageTypeDefinition<_sallyport_v1_PoliciesKnown, _sallyport_v1_PoliciesKnown__Output>
      PolicyObject: MessageTypeDefinition<_sallyport_v1_PolicyObject, _sallyport_v1_PolicyObject__Output>
      Position: MessageTypeDefinition<_sallyport_v1_Position, _sallyport_v1_Position__Output>
      Reject: MessageTypeDefinition<_sallyport_v1_Reject, _sallyport_v1_Reject__Output>
      Renew: MessageTypeDefinition<_sallyport_v1_Renew, _sallyport_v1_Renew__Output>
      Renewed: MessageTypeDefinition<_sallyport_v1_Renewed, _sallyport_v1_Renewed__Output>
      Report: MessageTypeDefinition<_sallyport_v1_Report, _sallyport_v1_Report__Output>
      ServicePort: MessageTypeDefinition<_sallyport_v1_ServicePort, _sallyport_v1_ServicePort__Output>
      Start: MessageTypeDefinition<_sallyport_v1_Start, _sallyport_v1_Start__Output>
      Subscribe: MessageTypeDefinition<_sallyport_v1_Subscribe, _sallyport_v1_Subscribe__Output>
      Unchanged: MessageTypeDefinition<_sallyport_v1_Unchanged, _sallyport_v1_Unchanged__Output>
      Unknown: MessageTypeDefinition<_sallyport_v1_Unknown, _sallyport_v1_Unknown__Output>
      Unmeshed: MessageTypeDefinition<_sallyport_v1_Unmeshed, _sallyport_v1_Unmeshed__Output>
      Unsubscribe: MessageTypeDefinition<_sallyport_v1_Unsubscribe, _sallyport_v1_Unsubscribe__Output>
      Workload: MessageTypeDefinition<_sallyport_v1_Workload, _sallyport_v1_Workload__Output>
      WouldDeny: MessageTypeDefinition<_sallyport_v1_WouldDeny, _sallyport_v1_WouldDeny__Output>
    }
  }
}

