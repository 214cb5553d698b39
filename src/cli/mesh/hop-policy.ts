import { readFileSync } from 'node:fs';
import { type SpiffeId, serviceAccountId } from '#identity';
import { type ConnectionFacts, type Decision, evaluate, type PolicySet, type Workload } from '#policy';
import type { ReadableWatch } from '#runtime';
import type { Hop, MeshFile, ServiceEntry } from '../mesh-file/mesh-file.ts';
import type { Expectation } from '../traffic/classify.ts';
import type { Denial } from '../view/snapshot.ts';

/** One service as policy sees it. */
export interface PolicyService {
  readonly identity: SpiffeId;
  readonly workload: Workload;
  readonly port: number;
}

export function policyService(mesh: MeshFile, entry: ServiceEntry): PolicyService {
  const { name, namespace, serviceAccount, labels, port } = entry;
  return {
    identity: serviceAccountId(mesh.trustDomain, namespace, serviceAccount),
    workload: Object.freeze({ name, namespace, serviceAccount, labels }),
    port,
  };
}

/** Asks the policies in force what they say of a call between two services, as the callee's sidecar will ask them. */
export class HopPolicy {
  readonly #services: ReadonlyMap<string, PolicyService>;
  readonly #policies: ReadableWatch<PolicySet>;
  readonly #lines = new Map<string, string | undefined>();
  #linesEpoch = -1;

  constructor(services: ReadonlyMap<string, PolicyService>, policies: ReadableWatch<PolicySet>) {
    this.#services = services;
    this.#policies = policies;
  }

  decide(hop: Hop): Decision {
    return evaluate(this.#policies.value, this.#facts(hop));
  }

  expect(hops: readonly Hop[]): Expectation {
    const forbidden = hops.filter((hop) => !this.decide(hop).allowed);
    return { epoch: this.#policies.value.epoch, forbidden };
  }

  /** Why a call is refused and what to edit, with the text of the line to edit. Undefined when it is permitted. */
  denial(hop: Hop): Denial | undefined {
    const { allowed, reason, explanation, edit } = this.decide(hop);
    if (allowed) return undefined;
    if (edit === undefined) return { reason: reason.code, explanation, edit: undefined };
    const { file, line, say, snippet } = edit;
    const text = line === undefined ? undefined : this.#line(file, line);
    const lines = snippet.split('\n').filter((row) => row.trim() !== '');
    return { reason: reason.code, explanation, edit: { file, line, text, say, snippet: lines } };
  }

  #facts({ from, to }: Hop): ConnectionFacts {
    const caller = this.#services.get(from);
    const callee = this.#services.get(to);
    if (caller === undefined || callee === undefined) throw new Error(`no call from ${from} to ${to}`);
    return { peer: caller.identity, address: '127.0.0.1', port: callee.port, workload: callee.workload };
  }

  /** Read again only when the policies changed: this is asked several times a second. */
  #line(file: string, line: number): string | undefined {
    const { epoch } = this.#policies.value;
    if (epoch !== this.#linesEpoch) this.#lines.clear();
    this.#linesEpoch = epoch;
    const key = `${file}:${line}`;
    if (!this.#lines.has(key)) this.#lines.set(key, readLine(file, line));
    return this.#lines.get(key);
  }
}

/** For showing only: a file that went away meanwhile shows nothing. */
function readLine(file: string, line: number): string | undefined {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/)[line - 1];
  } catch {
    return undefined;
  }
}
