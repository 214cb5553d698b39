import type { CompiledPolicy } from '../compile/policy-set.ts';
import { type CompiledEntry, type CompiledRule, holdsForPort } from '../match/rule.ts';
import type { Subject } from '../match/subject.ts';
import { YES } from '../match/verdict.ts';
import type { PeerMatch } from '../model.ts';

/** The Allow rule and `from` entry that came closest to matching, and what of it did not hold. */
export interface Nearest {
  readonly policy: CompiledPolicy;
  readonly rule: CompiledRule;
  readonly ruleIndex: number;
  readonly entry: CompiledEntry;
  readonly portHolds: boolean;
  /** The entry's fields that did not answer YES, in their order of testing. */
  readonly missed: readonly (keyof PeerMatch)[];
}

/**
 * Fewest unmet conditions; of equals one that already holds for the port, then one whose policy names the workload
 * rather than its namespace or the mesh, then the first. Undefined when no policy has a rule.
 */
export function nearestAllow(policies: readonly CompiledPolicy[], subject: Subject): Nearest | undefined {
  let best: Nearest | undefined;
  for (const policy of policies) {
    for (const [ruleIndex, rule] of policy.rules.entries()) {
      const portHolds = holdsForPort(rule, subject.facts.port);
      for (const entry of rule.entries) {
        const missed = entry.conditions
          .filter((condition) => condition.test(subject) !== YES)
          .map(({ field }) => field);
        const candidate: Nearest = { policy, rule, ruleIndex, entry, portHolds, missed };
        if (best === undefined || distance(candidate) < distance(best)) best = candidate;
      }
    }
  }
  return best;
}

/** One number orders by three criteria: each weighs more than all those after it can add up to. */
function distance({ policy, portHolds, missed }: Nearest): number {
  const unmet = missed.length + (portHolds ? 0 : 1);
  const { kind } = policy.document.spec.target;
  return unmet * 10 + (portHolds ? 0 : 5) + TARGET_DISTANCE[kind];
}

const TARGET_DISTANCE = { ServiceAccount: 0, Labels: 1, Namespace: 2 } as const;
