import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import {
  EMBEDDED_DEFAULTS,
  formatProblem,
  PolicyLoadError,
  type PolicyProblem,
  watchPolicies,
} from '#policy';
import { silentLog, systemClock } from '#runtime';
import { Cluster, type ClusterChoice } from '../cluster/cluster.ts';
import { installationOf } from '../cluster/installation.ts';
import { compileObjects, meshObjects } from '../cluster/policies.ts';
import { readMeshFile } from '../control/find-mesh.ts';
import type { MeshFile } from '../mesh-file/mesh-file.ts';
import { parseMeshFile } from '../mesh-file/parse.ts';
import { ROOT_NAMESPACE } from '../mesh/policies.ts';
import { UsageError } from '../usage-error.ts';
import { count } from '../view/format.ts';
import { printableLine } from '../view/printable.ts';

export interface PolicyValidateOptions {
  /** Files or folders; none: what ./mesh.yaml names. */
  readonly paths: readonly string[];
  readonly trustDomain: string | undefined;
  /** Of a cluster, instead of files. */
  readonly cluster: ClusterChoice | undefined;
}

/** `sallyport policy validate`: the same reading as `up`'s, once. 0 when a mesh would take these files and there is something in them, else 1. */
export async function validatePolicies(options: PolicyValidateOptions): Promise<number> {
  if (options.cluster !== undefined) {
    if (options.paths.length > 0)
      throw new UsageError('--cluster reads the objects of a cluster, not files: say one of both.');
    return validateCluster(options.cluster);
  }
  const mesh = existsSync('mesh.yaml') ? loadMesh('mesh.yaml') : undefined;
  const paths =
    options.paths.length > 0 ? options.paths : mesh?.policies.map((path) => relative(process.cwd(), path));
  if (paths === undefined)
    throw new UsageError('Name policy files or folders, or run this beside a mesh.yaml.');
  const { problems, documents } = await read(
    paths,
    options.trustDomain ?? mesh?.trustDomain ?? ANY_TRUST_DOMAIN,
  );
  for (const problem of problems) process.stdout.write(`${printableLine(formatProblem(problem))}\n`);
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const warnings = problems.length - errors;
  const counted = [
    ...(documents === undefined ? [] : [count(documents, 'document')]),
    count(errors, 'error'),
    count(warnings, 'warning'),
  ];
  process.stdout.write(`${printableLine(paths.join(' '))}: ${counted.join(', ')}\n`);
  if (documents === 0)
    process.stdout.write(
      'There is no policy document here. In a folder, files that end in .yaml, .yml or .json are read.\n',
    );
  return errors === 0 && documents !== 0 ? 0 : 1;
}

/** The same for what a cluster's API server has taken: its schema can't see all, such as two objects that contradict each other. */
async function validateCluster(choice: ClusterChoice): Promise<number> {
  const cluster = new Cluster(choice);
  const installation = await installationOf(cluster);
  const objects = await meshObjects(cluster);
  const { problems } = compileObjects(objects, installation);
  for (const problem of problems) process.stdout.write(`${printableLine(formatProblem(problem))}\n`);
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const counted = [
    count(objects.length, 'object'),
    count(errors, 'error'),
    count(problems.length - errors, 'warning'),
  ];
  process.stdout.write(`${printableLine(cluster.context)}: ${counted.join(', ')}\n`);
  return errors === 0 ? 0 : 1;
}

/** Policies seldom name their own trust domain, so most can be checked without knowing it. */
const ANY_TRUST_DOMAIN = 'cluster.local';

interface Reading {
  readonly problems: readonly PolicyProblem[];
  /** How many were read. Undefined where mistakes kept them from becoming a set. */
  readonly documents: number | undefined;
}

async function read(paths: readonly string[], trustDomain: string): Promise<Reading> {
  const context = { defaults: EMBEDDED_DEFAULTS, trustDomain, rootNamespace: ROOT_NAMESPACE };
  try {
    const watched = await watchPolicies({ ...context, paths, clock: systemClock, log: silentLog });
    return { problems: watched.problems.value, documents: watched.policies.value.documents.length };
  } catch (error) {
    if (error instanceof PolicyLoadError) return { problems: error.problems, documents: undefined };
    throw error;
  }
}

function loadMesh(file: string): MeshFile | undefined {
  const path = resolve(file);
  const parsed = parseMeshFile(path, readMeshFile(path), file);
  return parsed.ok ? parsed.value : undefined;
}
