import type { ServiceDefinition } from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import { DESCRIPTOR } from './generated/descriptor.ts';
import type { DiscoveryDefinition } from './generated/sallyport/v1/Discovery.ts';
import type { IssuanceDefinition } from './generated/sallyport/v1/Issuance.ts';

/** As scripts/protocol.ts writes the types. 64-bit numbers are milliseconds and counters, all below 2^53. */
const loaded = fromJSON(DESCRIPTOR, {
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
});

/** Certificates for workloads: proto/sallyport/v1/issuance.proto. */
export const ISSUANCE = definition<IssuanceDefinition>('sallyport.v1.Issuance');
/** Who stands behind an address: proto/sallyport/v1/discovery.proto. */
export const DISCOVERY = definition<DiscoveryDefinition>('sallyport.v1.Discovery');

function definition<Definition extends ServiceDefinition>(name: string): Definition {
  const found = loaded[name];
  if (found === undefined) throw new Error(`the protocol has no ${name}`);
  // The types were generated from the same files as the descriptor; a test compares both with the files.
  return found as unknown as Definition;
}
