import type { Clock, Log, ReadableWatch, Scope } from '#runtime';
import type { PolicySet } from '../compile/policy-set.ts';
import type { PolicyProblem } from '../crd/problem.ts';
import type { PolicyContext } from '../model.ts';
import { systemNotifier } from './notifier.ts';
import { PolicyWatcher } from './policy-watcher.ts';
import { readSnapshot } from './snapshot.ts';

export interface WatchPoliciesConfig extends PolicyContext {
  /** Files or directories. A missing one is an error at the start; one that goes missing later keeps the last good set. */
  readonly paths: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
}

export interface WatchedPolicies {
  readonly policies: ReadableWatch<PolicySet>;
  readonly problems: ReadableWatch<readonly PolicyProblem[]>;
  run(scope: Scope): void;
}

/**
 * Loads the policies of `paths`; once running, follows them: a save is in force well within a second, whether it is
 * written in place, renamed over the old file or swapped in by a symbolic link. Rejects with `PolicyLoadError`.
 */
export function watchPolicies(config: WatchPoliciesConfig): Promise<WatchedPolicies> {
  const { paths, clock, log, defaults, trustDomain, rootNamespace } = config;
  return PolicyWatcher.open({
    context: { defaults, trustDomain, rootNamespace },
    clock,
    log,
    read: () => readSnapshot(paths),
    notifier: (onChange) => systemNotifier(onChange, log),
  });
}
