import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { err, ok, type Result } from '#runtime';
import { checkReferences } from './check-references.ts';
import type { MeshFile, ServiceEntry, TrafficEntry } from './mesh-file.ts';
import { type Path, type Problem, parseYaml, type Source } from './problem.ts';
import { sayIssue, suggestion } from './say-issue.ts';
import { meshSchema, serviceName, serviceSchema, trafficSchema } from './schema.ts';
import { parseTraffic } from './traffic.ts';

/**
 * Reads mesh.yaml in one pass. `file` is its absolute path, `shown` is how problems name it. The error holds every
 * mistake, in the order of lines.
 */
export function parseMeshFile(file: string, text: string, shown: string = file): Result<MeshFile, Problem[]> {
  const source = parseYaml(shown, text);
  if (!source.ok) return err([...source.error]);
  const reader = new MeshReader(source.value);
  const mesh = reader.read(file);
  if (mesh === undefined || reader.problems.length > 0) return err(inOrder(reader.problems));
  return ok(freeze(mesh));
}

class MeshReader {
  readonly problems: Problem[] = [];
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  read(file: string): MeshFile | undefined {
    const directory = dirname(file);
    const top = this.#check(meshSchema, this.#source.value, []);
    // Where the top level is broken, services and traffic are still looked at, so that one run shows all mistakes.
    const loose = top ?? looseTop(this.#source.value);
    const names = Object.keys(loose.services);
    const services = Object.entries(loose.services).map(([name, value]) => this.#service(name, value));
    const known = services.filter((service) => service !== undefined);
    this.problems.push(...checkReferences(this.#source, known, names));
    const traffic = loose.traffic.map((value, index) => this.#traffic(index, value, known, names));
    if (top === undefined) return undefined;
    return {
      file,
      directory,
      trustDomain: top.trustDomain,
      policies: top.policies.map((path) => resolve(directory, path)),
      state: resolve(directory, top.state),
      rotateEveryMilliseconds: top.rotateEvery,
      leafLifetimeMilliseconds: top.leafLifetime,
      services: known,
      traffic: traffic.filter((entry) => entry !== undefined),
    };
  }

  #service(name: string, value: unknown): ServiceEntry | undefined {
    const named = serviceName.safeParse(name);
    if (!named.success) {
      this.problems.push(this.#source.keyProblem(['services', name], named.error.issues[0]?.message ?? ''));
    }
    const entry = this.#check(serviceSchema, value, ['services', name]);
    if (entry === undefined || !named.success) return undefined;
    return {
      ...entry,
      name,
      command: entry.command,
      serviceAccount: entry.serviceAccount ?? name,
      calls: entry.calls.map((call) =>
        typeof call === 'string'
          ? { service: call, listen: undefined }
          : { service: call.service, listen: call.listen },
      ),
    };
  }

  #traffic(
    index: number,
    value: unknown,
    services: readonly ServiceEntry[],
    names: readonly string[],
  ): TrafficEntry | undefined {
    const path = ['traffic', index];
    const entry = this.#check(trafficSchema, value, path);
    if (entry === undefined) return undefined;
    const parsed = parseTraffic(entry, services, names, (at, say) =>
      this.#source.problem([...path, ...at], say),
    );
    if (parsed.ok) return parsed.value;
    this.problems.push(...parsed.error);
    return undefined;
  }

  #check<Schema extends z.ZodType>(schema: Schema, value: unknown, path: Path): z.output<Schema> | undefined {
    const result = schema.safeParse(value, { reportInput: true });
    if (result.success) return result.data;
    const fields = Object.keys((schema as { shape?: object }).shape ?? {});
    for (const issue of result.error.issues) this.#report(issue, path, fields);
    return undefined;
  }

  #report(issue: z.core.$ZodIssue, above: Path, fields: readonly string[]): void {
    const path = [...above, ...issue.path];
    const inner = issue.code === 'invalid_union' ? insideOf(issue) : [];
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        const say = `unknown field ${key}${suggestion(key, fields)}`;
        this.problems.push(this.#source.keyProblem([...path, key], say));
      }
    } else if (issue.code === 'invalid_key') {
      this.problems.push(this.#source.keyProblem(path, issue.issues[0]?.message ?? issue.message));
    } else if (inner.length > 0) {
      for (const issue of inner) this.#report(issue, path, []);
    } else {
      this.problems.push(this.#source.problem(path, sayIssue(issue, path)));
    }
  }
}

/** Of several allowed forms, the mistakes in the one that was meant: the one that fails not as a whole but inside. */
function insideOf(issue: z.core.$ZodIssueInvalidUnion): readonly z.core.$ZodIssue[] {
  return (
    issue.errors.find((form) =>
      form.every((fault) => fault.code !== 'invalid_type' || fault.path.length > 0),
    ) ?? []
  );
}

function looseTop(value: unknown): { services: Record<string, unknown>; traffic: unknown[] } {
  const { services, traffic } = (value ?? {}) as { services?: unknown; traffic?: unknown };
  const isMap = typeof services === 'object' && services !== null && !Array.isArray(services);
  return {
    services: isMap ? (services as Record<string, unknown>) : {},
    traffic: Array.isArray(traffic) ? traffic : [],
  };
}

function inOrder(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}
