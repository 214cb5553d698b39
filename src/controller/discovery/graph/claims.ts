import { type Answer, type Party, UNKNOWN } from './answer.ts';
import type { PodRecord } from './records.ts';

/**
 * Which pods say that an address is theirs. More than one does for a moment when an address is given to another pod:
 * the kubelet frees it before the API server hears that the old pod ended.
 */
export class Claims {
  readonly #byAddress = new Map<string, Map<string, PodRecord>>();

  add(pod: PodRecord): void {
    for (const address of claimed(pod)) {
      const pods = this.#byAddress.get(address) ?? new Map<string, PodRecord>();
      this.#byAddress.set(address, pods.set(pod.uid, pod));
    }
  }

  remove(pod: PodRecord): void {
    for (const address of claimed(pod)) {
      const pods = this.#byAddress.get(address);
      pods?.delete(pod.uid);
      if (pods?.size === 0) this.#byAddress.delete(address);
    }
  }

  addresses(): IterableIterator<string> {
    return this.#byAddress.keys();
  }

  /** The pod that has the address now, as far as can be told. */
  holderOf(address: string): PodRecord | undefined {
    let holder: PodRecord | undefined;
    for (const pod of this.#byAddress.get(address)?.values() ?? []) {
      if (holder === undefined || outweighs(pod, holder)) holder = pod;
    }
    return holder;
  }

  /**
   * Who answers there. An identity is proved by a handshake, so naming the likely holder's is safe. Plaintext is proved
   * by nobody: only a pod that is not ending is said to be unmeshed, and only where no meshed pod claims the address.
   */
  partyAt(address: string): Party | undefined {
    const holder = this.holderOf(address);
    if (holder === undefined) return undefined;
    if (holder.meshed) return identityOf(holder);
    if (holder.terminating) return undefined;
    const pods = [...(this.#byAddress.get(address)?.values() ?? [])];
    return pods.some(({ meshed }) => meshed) ? undefined : { kind: 'unmeshed', pod: true };
  }

  /** Undefined: no pod claims it. */
  answerAt(address: string): Answer | undefined {
    const holder = this.holderOf(address);
    if (holder === undefined) return undefined;
    const party = this.partyAt(address);
    return party === undefined
      ? UNKNOWN
      : { kind: 'workload', name: `${holder.name}.${holder.namespace}`, party };
  }
}

/** A pod on the host's network has the node's address, which stands for no workload. */
function claimed({ addresses, ended, hostNetwork }: PodRecord): readonly string[] {
  return ended || hostNetwork ? [] : addresses;
}

/** The newest that is not ending. Equals in all of it are ordered by uid, so that every replica says the same. */
function outweighs(a: PodRecord, b: PodRecord): boolean {
  if (a.terminating !== b.terminating) return b.terminating;
  if (a.since !== b.since) return a.since > b.since;
  return a.uid > b.uid;
}

function identityOf({ namespace, serviceAccount }: PodRecord): Party {
  return { kind: 'meshed', namespace, serviceAccount };
}
