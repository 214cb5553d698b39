import type { Refusal } from '#handshake';
import { type Clock, err, ok, type Result } from '#runtime';
import { chooseFilter } from './choose-filter.ts';
import { iptablesFilter } from './iptables-filter.ts';
import { hostNamespaceRefusal, type NamespaceFacts, type PodFacts } from './namespace.ts';
import type { Family } from './networks.ts';
import { nftFilter } from './nft-filter.ts';
import { openSocketCalls } from './socket-calls.ts';
import { PACKET_FILTERS, type PacketFilter, type PacketFilterName } from './packet-filter.ts';
import { type Proof, ProofListener } from './proof.ts';
import { INTERCEPT_REASONS } from './reason.ts';
import { removeAll, replaceRules } from './replace-rules.ts';
import type { CaptureSettings } from './settings.ts';
import { type RunTool, runTool } from './tool.ts';

/** Where capture is set up: the facts that decide whether it may be, and the time. */
export interface CapturePlace {
  readonly namespace: NamespaceFacts;
  readonly pod: PodFacts;
  /** User id of this process. */
  readonly uid: number;
  readonly clock: Clock;
}

export interface CaptureReport {
  readonly filter: PacketFilterName;
  readonly proof: Proof;
}

/**
 * Loads the rules and proves with real connections that they capture. Whatever can refuse comes before the first change;
 * if the proof fails the rules stay, so that nothing leaves uncaptured.
 *
 * @param filters all that may have loaded rules before; `only` one of them is to load these.
 */
export async function setUpCapture(
  settings: CaptureSettings,
  filters: readonly PacketFilter[],
  place: CapturePlace,
  only?: PacketFilterName,
): Promise<Result<CaptureReport, Refusal>> {
  const refusal = refusalToChange(place) ?? refusalToProve(settings, place);
  if (refusal !== undefined) return err(refusal);
  const calls = await openSocketCalls();
  if (!calls.ok) return calls;
  const candidates = only === undefined ? filters : filters.filter(({ name }) => name === only);
  const chosen = await chooseFilter(candidates, settings);
  if (!chosen.ok) return chosen;
  const listener = await ProofListener.open(settings, calls.value.originalDestination, place.clock);
  if (!listener.ok) return listener;
  try {
    const applied = await replaceRules(chosen.value, filters, settings);
    if (!applied.ok) return applied;
    const proof = await listener.value.prove();
    return proof.ok ? ok({ filter: chosen.value.name, proof: proof.value }) : proof;
  } finally {
    listener.value.close();
  }
}

/** Takes the rules away, whichever tool loaded them. */
export async function removeCapture(
  filters: readonly PacketFilter[],
  place: CapturePlace,
): Promise<Result<void, Refusal>> {
  const refusal = refusalToChange(place);
  return refusal === undefined ? removeAll(filters) : err(refusal);
}

/** Every packet filter that this system may have, the best first. */
export function packetFilters(ipv6: boolean, run: RunTool = runTool): readonly PacketFilter[] {
  const families: readonly Family[] = ipv6 ? ['ipv4', 'ipv6'] : ['ipv4'];
  return PACKET_FILTERS.map((name) =>
    name === 'nft' ? nftFilter(run) : iptablesFilter(name, run, families),
  );
}

function refusalToChange({ namespace, pod }: CapturePlace): Refusal | undefined {
  const refusal = hostNamespaceRefusal(namespace, pod);
  if (refusal !== undefined) return refusal;
  if (namespace.netAdmin) return undefined;
  return {
    reason: INTERCEPT_REASONS['net-admin-missing'],
    detail: 'CAP_NET_ADMIN is not in the effective set',
  };
}

function refusalToProve(settings: CaptureSettings, { uid }: CapturePlace): Refusal | undefined {
  if (uid !== settings.uid) return undefined;
  return { reason: INTERCEPT_REASONS['runs-as-sidecar'], detail: `user id ${uid}` };
}
