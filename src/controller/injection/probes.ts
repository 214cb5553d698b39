import type { Refusal } from '#handshake';
import { err, ok, type Result } from '#runtime';
import { refuse } from './checks.ts';
import { isReserved, PORTS } from './names.ts';
import type { Container, Handler, Probe } from './pod.ts';

/** One of SALLYPORT_PROBES (docs/capture.md): what the sidecar asks in the kubelet's place. */
export interface ProbeEntry {
  readonly token: string;
  readonly [field: string]: unknown;
}

/** Gives a path that nobody can guess to what the kubelet asks of a pod's containers. */
export class ProbeRewriter {
  readonly #before: ReadonlyMap<string, ProbeEntry>;
  readonly #token: () => string;
  readonly #entries: ProbeEntry[] = [];
  readonly #refusals: Refusal[] = [];

  /** `before`: of a pod that was injected already. */
  constructor(before: readonly ProbeEntry[], token: () => string) {
    this.#before = new Map(before.map((entry) => [entry.token, entry]));
    this.#token = token;
  }

  /** As SALLYPORT_PROBES has it, or what can't be asked. */
  get entries(): Result<readonly ProbeEntry[], readonly Refusal[]> {
    return this.#refusals.length === 0 ? ok(this.#entries) : err(this.#refusals);
  }

  /** The container with its probes and hooks at the sidecar's port. */
  rewrite(container: Container): Container {
    const changed: Record<string, unknown> = { ...container };
    for (const kind of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
      const probe = container[kind];
      if (probe) changed[kind] = this.#handler(container, kind, probe, probe.timeoutSeconds);
    }
    const { lifecycle } = container;
    if (lifecycle) {
      const hooks: Record<string, unknown> = { ...lifecycle };
      for (const kind of ['postStart', 'preStop'] as const) {
        const hook = lifecycle[kind];
        // The kubelet has no hook by TCP; httpGet is the only one that comes over the network.
        if (hook?.httpGet) hooks[kind] = this.#handler(container, `lifecycle.${kind}`, hook, undefined);
      }
      changed.lifecycle = hooks;
    }
    return changed as unknown as Container;
  }

  #handler(container: Container, place: string, handler: Probe, timeoutSeconds: number | undefined): Handler {
    const token = rewrittenToken(handler);
    const kept = token === undefined ? undefined : this.#before.get(token);
    if (kept !== undefined) {
      this.#entries.push(kept);
      return handler;
    }
    const target = targetOf(handler);
    if (target === undefined) return handler;
    const port = portOf(container, target.port);
    const problem = port === undefined ? `port ${JSON.stringify(target.port)}` : undefined;
    if (port === undefined || isReserved(port)) {
      const code = port === undefined ? 'probe-unusable' : 'port-reserved';
      this.#refusals.push(
        refuse(code, `container ${container.name}: ${place}: ${problem ?? `port ${port}`}`),
      );
      return handler;
    }
    const made = this.#token();
    const timeout = timeoutSeconds === undefined ? {} : { timeoutSeconds: Math.min(timeoutSeconds, 3_600) };
    this.#entries.push({ token: made, ...timeout, ...target.entry(port) });
    const { httpGet: _httpGet, tcpSocket: _tcpSocket, grpc: _grpc, ...rest } = handler;
    return { ...rest, httpGet: { path: `${PATH}${made}`, port: PORTS.status, scheme: 'HTTP' } };
  }
}

/** The entries that a pod injected before has. Undefined: they can't be read. */
export function entriesOf(sidecar: Container): readonly ProbeEntry[] | undefined {
  const text = sidecar.env?.find(({ name }) => name === PROBES_VARIABLE)?.value;
  if (text === undefined) return undefined;
  try {
    const entries: unknown = JSON.parse(text);
    return Array.isArray(entries) && entries.every(isEntry) ? entries : undefined;
  } catch {
    return undefined;
  }
}

export const PROBES_VARIABLE = 'SALLYPORT_PROBES';
const PATH = '/probe/';

function isEntry(value: unknown): value is ProbeEntry {
  return (
    typeof value === 'object' && value !== null && typeof (value as { token?: unknown }).token === 'string'
  );
}

function rewrittenToken({ httpGet }: Handler): string | undefined {
  const ours = httpGet?.port === PORTS.status && httpGet.path?.startsWith(PATH) === true;
  return ours ? httpGet.path?.slice(PATH.length) : undefined;
}

interface Target {
  readonly port: number | string;
  readonly entry: (port: number) => Readonly<Record<string, unknown>>;
}

/** Undefined: the kubelet asks without the pod's network (exec, sleep), or another host than the pod. */
function targetOf({ httpGet, tcpSocket, grpc }: Handler): Target | undefined {
  if (httpGet) {
    if (httpGet.host) return undefined;
    const { path = '/', scheme = 'HTTP', httpHeaders } = httpGet;
    const headers = httpHeaders && httpHeaders.length > 0 ? { headers: httpHeaders } : {};
    const absolute = path.startsWith('/') ? path : `/${path}`;
    return { port: httpGet.port, entry: (port) => ({ http: { port, path: absolute, scheme, ...headers } }) };
  }
  if (tcpSocket) {
    return tcpSocket.host ? undefined : { port: tcpSocket.port, entry: (port) => ({ tcp: { port } }) };
  }
  if (!grpc) return undefined;
  const service = grpc.service ? { service: grpc.service } : {};
  return { port: grpc.port, entry: (port) => ({ grpc: { port, ...service } }) };
}

/** As the kubelet reads it: a number, a number as text, or a name of the same container's ports. */
function portOf({ ports }: Container, port: number | string): number | undefined {
  const named = (ports ?? []).find(({ name }) => name !== undefined && name === port)?.containerPort;
  const found = typeof port === 'number' ? port : (named ?? (/^[0-9]{1,5}$/.test(port) ? Number(port) : 0));
  return Number.isInteger(found) && found >= 1 && found <= 65_535 ? found : undefined;
}
