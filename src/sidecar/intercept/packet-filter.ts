import type { Refusal } from '#handshake';
import { ok, type Result } from '#runtime';
import type { CaptureSettings } from './settings.ts';

/**
 * A tool that loads capture rules. Nothing of its results is thrown but what no tool should ever do. A change that is
 * refused has changed nothing, or its reason is `packet-filter-uncertain`.
 */
export interface PacketFilter {
  readonly name: PacketFilterName;
  /** What it would load into a namespace without rules, for people to read. */
  print(settings: CaptureSettings): string;
  /** Asks tool and kernel whether they would take the rules; changes nothing. */
  check(settings: CaptureSettings): Promise<Result<void, Refusal>>;
  /** Where its rules are. Two names of one program have the same place. */
  place(): Promise<RulesPlace>;
  /** Replaces the rules by these. */
  apply(settings: CaptureSettings): Promise<Result<Undo, Refusal>>;
  /** Takes the rules away. Not an error: no rules, no tool. */
  remove(): Promise<Result<Undo, Refusal>>;
}

/** Puts our rules back as they were before a change, possibly none. */
export type Undo = () => Promise<Result<void, Refusal>>;

/** The latest first; all of them, also where one fails, whose refusal is the result. */
export async function undoAll(undos: readonly Undo[]): Promise<Result<void, Refusal>> {
  let result: Result<void, Refusal> = ok(undefined);
  for (const undo of undos.toReversed()) {
    const undone = await undo();
    if (!undone.ok && result.ok) result = undone;
  }
  return result;
}

export type RulesPlace = 'nft' | 'iptables-nft' | 'iptables-legacy';

export const PACKET_FILTERS = ['nft', 'iptables', 'iptables-legacy'] as const;
export type PacketFilterName = (typeof PACKET_FILTERS)[number];
