import { type PolicySet, sourceOf } from './compile/policy-set.ts';
import type { PolicySource, Workload } from './decision.ts';
import type { MeshTls, TlsMode } from './model.ts';

export interface TlsModeDecision {
  readonly mode: TlsMode;
  /** The MeshTLS that says so; undefined: the default. */
  readonly source: PolicySource | undefined;
}

/**
 * The mode of one port of a workload. The most specific MeshTLS that speaks of the port wins: this workload's, then one
 * that selects it by labels from the root namespace, then the namespace's, then the mesh's. Within a level a port's own
 * entry goes before a document's `mode`. Of equals that disagree the strictest wins, then the first by name.
 */
export function tlsMode(set: PolicySet, workload: Workload, port: number): TlsModeDecision {
  for (const level of set.select(workload).tls) {
    const spoken = strictest(level, (document) => modeOfPort(document, port)) ?? strictest(level, modeOfAll);
    if (spoken !== undefined) return { mode: spoken.mode, source: sourceOf(spoken.document) };
  }
  return { mode: set.context.defaults.tlsMode, source: undefined };
}

function modeOfPort({ spec }: MeshTls, port: number): TlsMode | undefined {
  return spec.ports.find((entry) => entry.port === port)?.mode;
}

function modeOfAll({ spec }: MeshTls): TlsMode | undefined {
  return spec.mode;
}

/** Documents come sorted by name, so of equally strict ones the first by name stays. */
function strictest(
  level: readonly MeshTls[],
  modeOf: (document: MeshTls) => TlsMode | undefined,
): { readonly document: MeshTls; readonly mode: TlsMode } | undefined {
  let best: { readonly document: MeshTls; readonly mode: TlsMode } | undefined;
  for (const document of level) {
    const mode = modeOf(document);
    if (mode === undefined) continue;
    if (best === undefined || STRICTNESS[mode] > STRICTNESS[best.mode]) best = { document, mode };
  }
  return best;
}

const STRICTNESS = { Disabled: 0, Permissive: 1, Strict: 2 } as const satisfies Record<TlsMode, number>;
