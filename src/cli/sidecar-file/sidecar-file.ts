import { dirname, resolve } from 'node:path';
import * as z from 'zod';
import { type PolicyDefaults, EMBEDDED_DEFAULTS } from '#policy';
import { err, ok, type Result } from '#runtime';
import type { Probe } from '#sidecar';
import { port, resourceName } from '../mesh-file/fields.ts';
import { freeze } from '../mesh-file/freeze.ts';
import { inOrder, type Problem, parseYaml, type Source } from '../mesh-file/problem.ts';
import { SchemaReader } from '../mesh-file/schema-reader.ts';
import { trustDomain } from '../mesh-file/trust-domain.ts';
import { probeOf, probeProblems, probesSchema } from './probes.ts';

/** What one sidecar is told: docs/capture.md, field by field. Paths are absolute. */
export interface SidecarFile {
  readonly service: string;
  readonly trustDomain: string;
  readonly rootNamespace: string;
  readonly workload: {
    readonly namespace: string;
    readonly serviceAccount: string;
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  /** Where our certificate and what is known of others come from. */
  readonly source: FileSource | ControllerSource;
  readonly trustBundle: string;
  readonly policies: readonly string[];
  readonly defaults: PolicyDefaults;
  readonly serverFirstPorts: readonly number[];
  readonly probes: readonly Probe[];
  readonly ports: Readonly<Record<'inbound' | 'outbound' | 'admin' | 'status' | 'verification', number>>;
}

export interface FileSource {
  readonly kind: 'files';
  readonly certificate: string;
  readonly key: string;
  readonly destinations: string;
}

export interface ControllerSource {
  readonly kind: 'controller';
  readonly host: string;
  readonly port: number;
  /** The namespace and account that its certificate must name. */
  readonly namespace: string;
  readonly serviceAccount: string;
  /** A projected ServiceAccount token of its audience. */
  readonly token: string;
}

/** What the downward API of Kubernetes says of the pod; it outweighs the file, which many pods share. */
export interface PodNames {
  readonly namespace: string | undefined;
  readonly serviceAccount: string | undefined;
  readonly name: string | undefined;
  /** SALLYPORT_PROBES: the list as YAML (or JSON, which is YAML). Paths of probes are every pod's own. */
  readonly probes?: string | undefined;
}

/** Reads sidecar.yaml in one pass. `file` is its absolute path. The error holds every mistake. */
export function parseSidecarFile(
  file: string,
  text: string,
  pod: PodNames,
): Result<SidecarFile, readonly Problem[]> {
  const source = parseYaml(file, text);
  if (!source.ok) return source;
  const reader = new SchemaReader(source.value);
  const top = reader.check(schema, source.value.value, []);
  const namespace = pod.namespace ?? top?.workload.namespace;
  const serviceAccount = pod.serviceAccount ?? top?.workload.serviceAccount;
  const missing = (field: string, variable: string): void => {
    reader.problems.push(
      source.value.problem(['workload', field], `${field} is missing: write it, or set ${variable}`),
    );
  };
  if (top !== undefined && namespace === undefined) missing('namespace', 'SALLYPORT_NAMESPACE');
  if (top !== undefined && serviceAccount === undefined)
    missing('serviceAccount', 'SALLYPORT_SERVICE_ACCOUNT');
  const directory = dirname(file);
  const absolute = (path: string): string => resolve(directory, path);
  const from = top === undefined ? undefined : sourceOf(top, source.value, absolute, reader.problems);
  const probes = top === undefined ? [] : readProbes(top, source.value, pod.probes, reader.problems);
  if (
    top === undefined ||
    from === undefined ||
    namespace === undefined ||
    serviceAccount === undefined ||
    reader.problems.length > 0
  ) {
    return err(inOrder(reader.problems));
  }
  const { certificate, controller, destinations, key, ...rest } = top;
  const name = pod.name ?? top.workload.name ?? serviceAccount;
  return ok(
    freeze({
      ...rest,
      source: from,
      service: top.service ?? serviceAccount,
      workload: { ...top.workload, namespace, serviceAccount, name },
      trustBundle: absolute(top.trustBundle),
      policies: top.policies.map(absolute),
      probes,
    }),
  );
}

/** Either all three files, or a controller. Adds mistakes to `problems`; undefined if there are any. */
function sourceOf(
  { certificate, controller, destinations, key, policies, rootNamespace }: z.output<typeof schema>,
  file: Source,
  absolute: (path: string) => string,
  problems: Problem[],
): FileSource | ControllerSource | undefined {
  const files = Object.entries({ certificate, key, destinations });
  if (controller !== undefined) {
    const beside = files.filter(([, path]) => path !== undefined);
    for (const [field] of beside)
      problems.push(
        file.problem([field], `${field} stands beside controller, which gives it: leave one out`),
      );
    if (beside.length > 0) return undefined;
    const { namespace = rootNamespace, token } = controller;
    return { ...controller, kind: 'controller', namespace, token: absolute(token) };
  }
  if (policies.length === 0)
    problems.push(file.problem(['policies'], 'name at least one file or folder of policies'));
  for (const [field, path] of files) {
    if (path === undefined)
      problems.push(file.problem([], `${field} is missing: name the file, or a controller`));
  }
  if (certificate === undefined || key === undefined || destinations === undefined) return undefined;
  return {
    kind: 'files',
    certificate: absolute(certificate),
    key: absolute(key),
    destinations: absolute(destinations),
  };
}

/** Those of the environment, if there are any, else those of the file. Adds mistakes to `problems`. */
function readProbes(
  top: z.output<typeof schema>,
  file: Source,
  environment: string | undefined,
  problems: Problem[],
): Probe[] {
  if (environment === undefined || environment === '') {
    problems.push(...probeProblems(file, ['probes'], top.probes, top.ports));
    return top.probes.map(probeOf);
  }
  const source = parseYaml('SALLYPORT_PROBES', environment);
  if (!source.ok) {
    problems.push(...source.error);
    return [];
  }
  const reader = new SchemaReader(source.value);
  const rows = reader.check(probesSchema, source.value.value, []) ?? [];
  problems.push(...reader.problems, ...probeProblems(source.value, [], rows, top.ports));
  return rows.map(probeOf);
}

const path = z.string().min(1, 'name a file');

const schema = z.strictObject({
  service: resourceName.optional(),
  trustDomain,
  rootNamespace: resourceName.default('sallyport'),
  workload: z
    .strictObject({
      namespace: resourceName.optional(),
      serviceAccount: resourceName.optional(),
      name: resourceName.optional(),
      labels: z.record(z.string(), z.string()).default({}),
    })
    .default({ labels: {} }),
  certificate: path.optional(),
  key: path.optional(),
  destinations: path.optional(),
  controller: z
    .strictObject({
      host: z.string().min(1, 'name the host of the controller'),
      port: port.default(15_010),
      namespace: resourceName.optional(),
      serviceAccount: resourceName.default('sallyport-controller'),
      token: path,
    })
    .optional(),
  trustBundle: path,
  policies: z.array(path),
  defaults: z
    .strictObject({
      tlsMode: z.enum(['Strict', 'Permissive', 'Disabled']).default(EMBEDDED_DEFAULTS.tlsMode),
      unselected: z.enum(['Deny', 'AllowAuthenticated']).default(EMBEDDED_DEFAULTS.unselected),
    })
    .default(EMBEDDED_DEFAULTS),
  serverFirstPorts: z.array(port).default([]),
  probes: probesSchema.default([]),
  ports: z
    .strictObject({
      inbound: port.default(15_006),
      outbound: port.default(15_001),
      admin: port.default(15_000),
      status: port.default(15_020),
      verification: port.default(15_021),
    })
    .prefault({}),
});
