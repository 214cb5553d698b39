import type { Workload } from '#policy';
import type { Scope } from '#runtime';
import type { Graph } from '../discovery/graph/graph.ts';
import type { KeptPolicy } from './cluster-policies.ts';
import type { Followers } from './follower.ts';
import { StatusWriter, type StatusWriterConfig } from './status-writer.ts';

export interface StatusParts extends Omit<StatusWriterConfig, 'nameOf' | 'isWatched'> {
  readonly graph: Graph;
  readonly followers: Followers;
  /** Of all pods with a sidecar that run. */
  readonly workloads: () => Iterable<{ readonly podUid: string; readonly workload: Workload }>;
}

/** Keeps the status of policies from what the controller knows of pods and their sidecars. */
export function startStatus(scope: Scope, { followers, graph, workloads, ...parts }: StatusParts): void {
  const { policies } = parts;
  new StatusWriter({
    ...parts,
    nameOf(address) {
      const answer = graph.answer(address, 0);
      return answer.kind === 'workload' ? answer.name : undefined;
    },
    isWatched(kept: KeptPolicy) {
      let count = 0;
      for (const { podUid, workload } of workloads()) {
        if (!policies.concerns(kept, workload)) continue;
        // It may report to another replica, or to nobody.
        if (!followers.follows(podUid)) return false;
        count += 1;
      }
      return count > 0;
    },
  }).run(scope);
}
