import type { Refusal } from '#handshake';
import type { Result } from '#runtime';
import type { CaptureSettings } from './settings.ts';

/** A tool that loads capture rules. Nothing of its results is thrown but what no tool should ever do. */
export interface PacketFilter {
  readonly name: PacketFilterName;
  /** What it would load into a namespace without rules, for people to read. */
  print(settings: CaptureSettings): string;
  /** Asks tool and kernel whether they would take the rules; changes nothing. */
  check(settings: CaptureSettings): Promise<Result<void, Refusal>>;
  /** Replaces the rules by these, or leaves everything as it was. */
  apply(settings: CaptureSettings): Promise<Result<void, Refusal>>;
  /** Takes the rules away. Not an error: no rules, no tool. */
  remove(): Promise<Result<void, Refusal>>;
}

export const PACKET_FILTERS = ['nft', 'iptables', 'iptables-legacy'] as const;
export type PacketFilterName = (typeof PACKET_FILTERS)[number];
