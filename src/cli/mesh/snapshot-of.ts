import { formatProblem, type PolicySet, type WatchedPolicies } from '#policy';
import type { Clock } from '#runtime';
import type { Hop, MeshFile } from '../mesh-file/mesh-file.ts';
import { count } from '../view/format.ts';
import type { CertificateRow, EdgeRow, MeshSnapshot, ServiceRow } from '../view/snapshot.ts';
import type { MeshActivity } from './activity.ts';
import type { Gate } from './gate.ts';
import type { HopPolicy } from './hop-policy.ts';
import type { OpenConnections } from './open-connections.ts';
import { shownPath } from './policies.ts';
import { unknownAccounts } from './unknown-accounts.ts';

/** One call of one service, as it stands. */
export interface Edge extends Hop {
  /** The caller's port for it. */
  readonly listen: number;
}

export interface SnapshotSource {
  readonly mesh: MeshFile;
  readonly startedAt: number;
  readonly gates: readonly Gate[];
  readonly edges: readonly Edge[];
  readonly policy: Pick<HopPolicy, 'denial'>;
  readonly watched: Pick<WatchedPolicies, 'problems' | 'policies'>;
  readonly activity: MeshActivity;
  readonly open: Pick<OpenConnections, 'count'>;
  /** When the policies changed last, milliseconds since the Unix epoch. */
  readonly policiesSince: () => number;
  readonly clock: Clock;
}

/** Gathers what is to be shown at this moment. */
export function snapshotOf(source: SnapshotSource): MeshSnapshot {
  const { mesh, activity, gates, clock, startedAt } = source;
  return {
    trustDomain: mesh.trustDomain,
    file: shownPath(mesh.file),
    now: clock.now(),
    startedAt,
    rotateEveryMilliseconds: mesh.rotateEveryMilliseconds,
    services: gates.map(serviceRow),
    edges: source.edges.map((edge) => edgeRow(edge, source)),
    handshakes: activity.newest(NEWEST),
    totals: { ...activity.totals },
    warnings: warnings(source),
  };
}

const NEWEST = 20;

function serviceRow({ entry, identity, process, credentials }: Gate): ServiceRow {
  const { name, port } = entry;
  const { phase, pid, restarts } = process.state.value;
  const certificate = certificateRow(credentials.value);
  return { name, identity: identity.toString(), port, phase, pid, restarts, certificate };
}

function certificateRow(held: Gate['credentials']['value']): CertificateRow | undefined {
  if (held === undefined) return undefined;
  const { serial, notBefore, notAfter, renewals, issuer } = held;
  return {
    serial,
    notBefore,
    notAfter,
    renewals,
    issuer: { serial: issuer.serial, notAfter: issuer.notAfter },
  };
}

function edgeRow(edge: Edge, { policy, activity, open, policiesSince }: SnapshotSource): EdgeRow {
  const { from, to, listen } = edge;
  const denial = policy.denial(edge);
  const last = activity.lastHandshake(edge);
  // A refusal by policies that no longer hold says nothing of those that do.
  const current =
    last !== undefined && (last.result === 'ok' || last.startTime >= policiesSince()) ? last : undefined;
  const failing = current !== undefined && current.result !== 'ok';
  return {
    from,
    to,
    listen,
    state: denial !== undefined ? 'denied' : failing ? 'failing' : 'permitted',
    denial,
    requestsPerSecond: activity.requestsPerSecond(edge),
    open: open.count(edge),
    last: denial !== undefined && current?.result === 'ok' ? undefined : current,
  };
}

function warnings({ watched, gates, mesh }: SnapshotSource): string[] {
  const problems = watched.problems.value;
  const mistakes = problems.filter(({ severity }) => severity === 'error').length;
  const note = `${count(mistakes, 'mistake')} in the policies: those before the edit stay in force`;
  const told = [...(mistakes > 0 ? [note] : []), ...problems.map(formatProblem)];
  const ailing = gates.flatMap(({ process }) => {
    const { detail, phase } = process.state.value;
    if (detail === undefined) return [];
    const last = process.lastLines.at(-1);
    return [phase !== 'ready' && last !== undefined ? `${detail}. It last wrote: ${last}` : detail];
  });
  return [...told, ...strangers(watched.policies.value, mesh), ...ailing];
}

/** Looked for once in each set: the picture is drawn several times a second. */
function strangers(set: PolicySet, { services }: MeshFile): readonly string[] {
  const found = STRANGERS.get(set) ?? unknownAccounts(set, services);
  STRANGERS.set(set, found);
  return found;
}

const STRANGERS = new WeakMap<PolicySet, readonly string[]>();
