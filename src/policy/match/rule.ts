import type { PeerMatch, Rule } from '../model.ts';
import { type Condition, compileConditions } from './condition.ts';
import type { Subject } from './subject.ts';
import { both, either, NO, type Verdict, YES } from './verdict.ts';

export interface CompiledEntry {
  readonly match: PeerMatch;
  readonly conditions: readonly Condition[];
}

export interface CompiledRule {
  readonly rule: Rule;
  /** Undefined: every port. */
  readonly ports: ReadonlySet<number> | undefined;
  readonly entries: readonly CompiledEntry[];
}

export function compileRule(rule: Rule, trustDomain: string): CompiledRule {
  return {
    rule,
    ports: rule.to === undefined ? undefined : new Set(rule.to.flatMap(({ ports }) => ports)),
    entries: rule.from.map((match) => ({ match, conditions: compileConditions(match, trustDomain) })),
  };
}

/** A rule holds when its port does and one entry of `from` does; an entry when all of its conditions do. */
export function testRule(rule: CompiledRule, subject: Subject): Verdict {
  if (!holdsForPort(rule, subject.facts.port)) return NO;
  let best: Verdict = NO;
  for (const entry of rule.entries) {
    best = either(best, testEntry(entry, subject));
    if (best === YES) return YES;
  }
  return best;
}

export function holdsForPort({ ports }: CompiledRule, port: number): boolean {
  return ports === undefined || ports.has(port);
}

function testEntry({ conditions }: CompiledEntry, subject: Subject): Verdict {
  let all: Verdict = YES;
  for (const condition of conditions) {
    all = both(all, condition.test(subject));
    if (all === NO) return NO;
  }
  return all;
}
