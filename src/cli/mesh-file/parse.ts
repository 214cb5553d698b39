import { dirname, resolve } from 'node:path';
import { err, ok, type Result } from '#runtime';
import { checkReferences } from './check-references.ts';
import { freeze } from './freeze.ts';
import type { MeshFile, ServiceEntry, TrafficEntry } from './mesh-file.ts';
import { inOrder, type Problem, parseYaml, type Source } from './problem.ts';
import { SchemaReader } from './schema-reader.ts';
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
  readonly #source: Source;
  readonly #reader: SchemaReader;

  constructor(source: Source) {
    this.#source = source;
    this.#reader = new SchemaReader(source);
  }

  get problems(): Problem[] {
    return this.#reader.problems;
  }

  read(file: string): MeshFile | undefined {
    const directory = dirname(file);
    const top = this.#reader.check(meshSchema, this.#source.value, []);
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
    const entry = this.#reader.check(serviceSchema, value, ['services', name]);
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
    const entry = this.#reader.check(trafficSchema, value, path);
    if (entry === undefined) return undefined;
    const parsed = parseTraffic(entry, services, names, (at, say) =>
      this.#source.problem([...path, ...at], say),
    );
    if (parsed.ok) return parsed.value;
    this.problems.push(...parsed.error);
    return undefined;
  }
}

function looseTop(value: unknown): { services: Record<string, unknown>; traffic: unknown[] } {
  const { services, traffic } = (value ?? {}) as { services?: unknown; traffic?: unknown };
  const isMap = typeof services === 'object' && services !== null && !Array.isArray(services);
  return {
    services: isMap ? (services as Record<string, unknown>) : {},
    traffic: Array.isArray(traffic) ? traffic : [],
  };
}
