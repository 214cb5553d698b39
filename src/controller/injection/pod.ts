import { err, ok, type Result } from '#runtime';

/** A pod as JSON, or the template of one. What is not named here stays as it is. */
export interface Pod {
  readonly metadata?: {
    readonly name?: string;
    readonly generateName?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
  readonly spec: PodSpec;
  readonly [field: string]: unknown;
}

export interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly ephemeralContainers?: readonly Container[];
  readonly volumes?: readonly { readonly name: string; readonly [field: string]: unknown }[];
  readonly securityContext?: { readonly runAsUser?: number; readonly [field: string]: unknown };
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly dnsPolicy?: string;
  readonly os?: { readonly name?: string };
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

export interface Container {
  readonly name: string;
  readonly ports?: readonly {
    readonly name?: string;
    readonly containerPort?: number;
    readonly [field: string]: unknown;
  }[];
  readonly env?: readonly { readonly name?: string; readonly value?: string }[];
  readonly securityContext?: {
    readonly runAsUser?: number;
    readonly privileged?: boolean;
    readonly capabilities?: { readonly add?: readonly string[]; readonly [field: string]: unknown };
    readonly [field: string]: unknown;
  };
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly startupProbe?: Probe;
  readonly lifecycle?: { readonly postStart?: Handler; readonly preStop?: Handler };
  readonly [field: string]: unknown;
}

/** What the kubelet does for a probe, or as a hook of a container's life. */
export interface Handler {
  readonly httpGet?: {
    readonly host?: string;
    readonly path?: string;
    readonly port: number | string;
    readonly scheme?: string;
    readonly httpHeaders?: readonly { readonly name: string; readonly value: string }[];
  };
  readonly tcpSocket?: { readonly host?: string; readonly port: number | string };
  readonly grpc?: { readonly port: number; readonly service?: string | null };
  readonly [field: string]: unknown;
}

export interface Probe extends Handler {
  readonly timeoutSeconds?: number;
}

/** Whether what is read here has the types above; the error is the first place that hasn't. */
export function parsePod(value: unknown): Result<Pod, string> {
  const mistake = check(value, POD, 'the pod');
  return mistake === undefined ? ok(value as Pod) : err(mistake);
}

type Shape =
  | 'string'
  | 'number'
  | 'boolean'
  | 'port'
  | { readonly list: Shape }
  | { readonly map: Shape }
  | { readonly fields: Readonly<Record<string, Shape>>; readonly required?: readonly string[] };

const HANDLER: Readonly<Record<string, Shape>> = {
  httpGet: {
    fields: {
      host: 'string',
      path: 'string',
      port: 'port',
      scheme: 'string',
      httpHeaders: { list: { fields: { name: 'string', value: 'string' }, required: ['name', 'value'] } },
    },
    required: ['port'],
  },
  tcpSocket: { fields: { host: 'string', port: 'port' }, required: ['port'] },
  grpc: { fields: { port: 'number', service: 'string' }, required: ['port'] },
};
const PROBE: Shape = { fields: { ...HANDLER, timeoutSeconds: 'number' } };
const CONTAINERS: Shape = {
  list: {
    fields: {
      name: 'string',
      ports: { list: { fields: { name: 'string', containerPort: 'number' } } },
      env: { list: { fields: { name: 'string', value: 'string' } } },
      securityContext: {
        fields: {
          runAsUser: 'number',
          privileged: 'boolean',
          capabilities: { fields: { add: { list: 'string' } } },
        },
      },
      livenessProbe: PROBE,
      readinessProbe: PROBE,
      startupProbe: PROBE,
      lifecycle: { fields: { postStart: { fields: HANDLER }, preStop: { fields: HANDLER } } },
    },
    required: ['name'],
  },
};
const POD: Shape = {
  fields: {
    metadata: {
      fields: {
        name: 'string',
        generateName: 'string',
        labels: { map: 'string' },
        annotations: { map: 'string' },
      },
    },
    spec: {
      fields: {
        containers: CONTAINERS,
        initContainers: CONTAINERS,
        ephemeralContainers: CONTAINERS,
        volumes: { list: { fields: { name: 'string' }, required: ['name'] } },
        securityContext: { fields: { runAsUser: 'number' } },
        hostNetwork: 'boolean',
        hostPID: 'boolean',
        dnsPolicy: 'string',
        os: { fields: { name: 'string' } },
        nodeSelector: { map: 'string' },
      },
      required: ['containers'],
    },
  },
  required: ['spec'],
};

/** JSON's null is a field that is not there, as to the API server. */
function check(value: unknown, shape: Shape, place: string): string | undefined {
  if (shape === 'port') {
    return typeof value === 'number' || typeof value === 'string' ? undefined : `${place} is no port`;
  }
  if (typeof shape === 'string') {
    // oxlint-disable-next-line valid-typeof -- the shapes are the words of typeof
    return typeof value === shape ? undefined : `${place} is not a ${shape}`;
  }
  if ('list' in shape) {
    if (!Array.isArray(value)) return `${place} is no list`;
    return first(value.map((item, index) => () => check(item, shape.list, `${place}[${index}]`)));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return `${place} is no object`;
  const object = value as Readonly<Record<string, unknown>>;
  if ('map' in shape) {
    return first(Object.keys(object).map((key) => () => check(object[key], shape.map, `${place}.${key}`)));
  }
  return first(
    Object.entries(shape.fields).map(([key, inner]) => () => {
      const there = Object.hasOwn(object, key) && object[key] !== undefined && object[key] !== null;
      if (there) return check(object[key], inner, `${place}.${key}`);
      return shape.required?.includes(key) === true ? `${place}.${key} is missing` : undefined;
    }),
  );
}

function first(checks: readonly (() => string | undefined)[]): string | undefined {
  for (const each of checks) {
    const mistake = each();
    if (mistake !== undefined) return mistake;
  }
  return undefined;
}
