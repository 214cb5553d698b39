import { systemClock, silentLog } from '#runtime';
import { type ConnectionFacts, type Decision, evaluate, type PolicySet, tlsMode } from '#policy';
import { injectedController } from '#controller/injection';
import type { Cluster } from '../cluster/cluster.ts';
import { installationOf } from '../cluster/installation.ts';
import { compileObjects, meshObjects } from '../cluster/policies.ts';
import { callerOf, calleeOf } from '../cluster/workloads.ts';
import { readMeshFile } from '../control/find-mesh.ts';
import type { UpRecord } from '../control/up-record.ts';
import { parseMeshFile } from '../mesh-file/parse.ts';
import { sayProblem } from '../mesh-file/problem.ts';
import { policyService } from '../mesh/hop-policy.ts';
import { openPolicies } from '../mesh/policies.ts';
import { UsageError } from '../usage-error.ts';
import { printableAll, printableJson, printableLine } from '../view/printable.ts';
import { chooseWorld, type WorldChoice } from '../world.ts';

export interface CanIOptions {
  readonly choice: WorldChoice;
  readonly from: string;
  readonly to: string;
  /** `policy explain`: all that there is to say. */
  readonly explain: boolean;
  readonly json: boolean;
  readonly env: NodeJS.ProcessEnv;
}

interface Question {
  readonly set: PolicySet;
  readonly facts: ConnectionFacts;
  readonly from: string;
  readonly to: string;
  /** What the answer doesn't know of. */
  readonly notes: readonly string[];
}

/**
 * `sallyport can-i` and `policy explain`: whether policy lets one workload call another, as the callee's sidecar will
 * decide it. 0: it may; 1: it may not.
 */
export async function canI({ choice, from, to, explain, json, env }: CanIOptions): Promise<number> {
  // Names with a slash, or a whole identity, are of a cluster.
  const places = [from, to].filter((name) => name.includes('/'));
  const world = await chooseWorld({ ...choice, places }, env);
  const question =
    world.kind === 'embedded'
      ? await askEmbedded(world.mesh, from, to)
      : await askCluster(world.cluster, from, to);
  const decision = evaluate(question.set, question.facts);
  const { mode, source } = tlsMode(question.set, question.facts.workload, question.facts.port);
  const told = { ...question, decision, mode, modeFrom: source };
  if (json) process.stdout.write(`${printableJson(asJson(told), 2)}\n`);
  else process.stdout.write(`${linesOf(told, explain).map(printableLine).join('\n')}\n`);
  return decision.allowed ? 0 : 1;
}

async function askCluster(cluster: Cluster, from: string, to: string): Promise<Question> {
  const installation = await installationOf(cluster);
  const { trustDomain } = installation.settings;
  const [caller, callee, objects] = await Promise.all([
    callerOf(cluster, trustDomain, from),
    calleeOf(cluster, to),
    meshObjects(cluster),
  ]);
  const { set, problems } = compileObjects(objects, installation);
  const { workload, port, pod } = callee;
  const errors = problems.filter(({ severity }) => severity === 'error');
  return {
    set,
    facts: { peer: caller.peer, address: caller.address, port, workload, ...labelsOf(caller) },
    from: caller.shown,
    to: `${workload.namespace}/${workload.name}:${port}`,
    notes: [
      ...(injectedController(pod.spec) === installation.namespace
        ? []
        : [
            `${workload.namespace}/${workload.name} has no sidecar of this mesh: nobody enforces this there.`,
          ]),
      ...(errors.length === 0
        ? []
        : [
            `${errors.length} mistakes in policies: what they said before may still be in force (policy validate --cluster).`,
          ]),
    ],
  };
}

function labelsOf({ peerLabels }: Pick<ConnectionFacts, 'peerLabels'>): Pick<ConnectionFacts, 'peerLabels'> {
  return peerLabels === undefined ? {} : { peerLabels };
}

/** Its policies are read anew, as the running mesh reads them when they change. */
async function askEmbedded({ meshFile }: UpRecord, from: string, to: string): Promise<Question> {
  const parsed = parseMeshFile(meshFile, readMeshFile(meshFile), meshFile);
  if (!parsed.ok) throw new UsageError(parsed.error.map(sayProblem).join('\n'));
  const mesh = parsed.value;
  const serviceNamed = (name: string) => {
    const entry = mesh.services.find((service) => service.name === name);
    if (entry !== undefined) return policyService(mesh, entry);
    const known = mesh.services.map((service) => service.name).join(', ');
    throw new UsageError(
      `${name} is no service of ${meshFile}, which has ${known}. In a cluster, write NAMESPACE/NAME.`,
    );
  };
  const [caller, callee] = [serviceNamed(from), serviceNamed(to)];
  const { policies } = await openPolicies(mesh, systemClock, silentLog);
  return {
    set: policies.value,
    facts: { peer: caller.identity, address: '127.0.0.1', port: callee.port, workload: callee.workload },
    from: caller.identity.toString(),
    to: `${to}:${callee.port}`,
    notes: [],
  };
}

interface Told extends Question {
  readonly decision: Decision;
  readonly mode: string;
  readonly modeFrom: Decision['policy'];
}

function linesOf({ from, to, notes, decision, mode, modeFrom }: Told, explain: boolean): string[] {
  const { allowed, reason, explanation, edit, shadow } = decision;
  const verdict = allowed ? `yes: ${from} may call ${to}` : `no: ${from} may not call ${to} (${reason.code})`;
  const lines = [verdict, `  ${explanation}`, ...notes.map((note) => `  ${note}`)];
  if (!explain) return lines;
  const by =
    modeFrom === undefined ? 'by default' : `by ${modeFrom.kind} ${modeFrom.namespace}/${modeFrom.name}`;
  lines.push(`  TLS: ${mode} ${by}.`);
  for (const { policy, outcome, changes } of shadow) {
    const effect = changes ? 'which would change the answer' : 'which changes nothing';
    lines.push(`  Shadow ${policy.namespace}/${policy.name}: ${outcome}, ${effect}.`);
  }
  if (!allowed) lines.push(`  ${reason.next}`);
  if (edit !== undefined) {
    lines.push(`  ${edit.say} (${edit.file})`);
    lines.push(...edit.snippet.split('\n').flatMap((row) => (row.trim() === '' ? [] : [`    ${row}`])));
  }
  return lines;
}

function asJson({ from, to, notes, decision, mode, modeFrom }: Told): object {
  const { allowed, reason, explanation, policy, rule, edit, shadow } = decision;
  const tls = { mode, from: modeFrom ?? 'default' };
  return printableAll({
    ...{ allowed, from, to, reason: reason.code, explanation, policy, rule, tls },
    ...{ edit, shadow, notes },
  });
}
