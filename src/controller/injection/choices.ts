import { err, ok, printable, type Result } from '#runtime';
import { type CaptureSettings, parseCaptureSettings } from '#sidecar/intercept';
import { WEBHOOK_LIMITS } from './limits.ts';
import { INJECT_LABEL, INJECTED, PORTS, PREFIX } from './names.ts';
import type { Pod } from './pod.ts';
import type { Resources } from './settings.ts';

/** What a pod's annotations ask for, read and checked. */
export interface PodChoices {
  /** The environment of `sallyport init`: each value was parsed as init will. */
  readonly capture: Readonly<Record<string, string>>;
  readonly serverFirstPorts: readonly number[];
  readonly resources: Resources;
}

/** Annotation to setting of capture; the environment variable is made of the same words. */
const CAPTURE = {
  'exclude-inbound-ports': 'excludeInboundPorts',
  'exclude-outbound-ports': 'excludeOutboundPorts',
  'exclude-outbound-networks': 'excludeOutboundNetworks',
  'include-inbound-ports': 'includeInboundPorts',
  'include-outbound-ports': 'includeOutboundPorts',
  'include-outbound-networks': 'includeOutboundNetworks',
} as const satisfies Readonly<Record<string, keyof CaptureSettings>>;

const CAPTURED = Object.keys(CAPTURE) as (keyof typeof CAPTURE)[];

const RESOURCES = {
  'sidecar-cpu-request': ['requests', 'cpu'],
  'sidecar-cpu-limit': ['limits', 'cpu'],
  'sidecar-memory-request': ['requests', 'memory'],
  'sidecar-memory-limit': ['limits', 'memory'],
} as const;
const SERVER_FIRST = 'server-first-ports';

/** Every annotation that a pod may carry, without the prefix. */
export const ANNOTATIONS: readonly string[] = [
  ...Object.keys(CAPTURE),
  SERVER_FIRST,
  ...Object.keys(RESOURCES),
];

/** The error holds every mistake, each beginning with the annotation or label. */
export function parseChoices({ metadata }: Pod): Result<PodChoices, readonly string[]> {
  const annotations = metadata?.annotations ?? {};
  const given = (name: string): string | undefined =>
    Object.hasOwn(annotations, PREFIX + name) ? annotations[PREFIX + name] : undefined;
  const mistakes = [...unknownNames(annotations), ...labelMistakes(metadata?.labels ?? {})];
  const capture = captureOf(given);
  const ports = portsOf(given(SERVER_FIRST));
  const resources = resourcesOf(given);
  for (const part of [capture, ports, resources]) if (!part.ok) mistakes.push(...part.error);
  if (!capture.ok || !ports.ok || !resources.ok || mistakes.length > 0) return err(mistakes);
  return ok({ capture: capture.value, serverFirstPorts: ports.value, resources: resources.value });
}

/** A word of ours that nobody knows is a word with a mistake in it: it would be passed over in silence. */
function unknownNames(annotations: Readonly<Record<string, string>>): string[] {
  const ours = Object.keys(annotations).filter((name) => name.startsWith(PREFIX) && name !== INJECTED);
  const unknown = ours.filter((name) => !ANNOTATIONS.includes(name.slice(PREFIX.length)));
  return unknown.slice(0, WEBHOOK_LIMITS.mistakes).map((name) => {
    if (name === INJECT_LABEL)
      return `${name}: this is a label of the pod or its namespace, not an annotation`;
    return `${printable(name)}: there is no such annotation; there are ${ANNOTATIONS.join(', ')}`;
  });
}

function labelMistakes(labels: Readonly<Record<string, string>>): string[] {
  const value = Object.hasOwn(labels, INJECT_LABEL) ? labels[INJECT_LABEL] : undefined;
  if (value === undefined || value === 'enabled' || value === 'disabled') return [];
  return [`${INJECT_LABEL}: ${quoted(value)} is neither enabled nor disabled`];
}

type Given = (name: string) => string | undefined;

function captureOf(given: Given): Result<Readonly<Record<string, string>>, readonly string[]> {
  const texts = CAPTURED.flatMap((name) => {
    const text = given(name);
    return text === undefined || text.trim() === '' ? [] : [[name, text] as const];
  });
  const included = texts.map(
    ([name, text]) =>
      [name, name === 'include-inbound-ports' ? `${text},${PORTS.verification}` : text] as const,
  );
  const parsed = parseCaptureSettings(
    Object.fromEntries(included.map(([name, text]) => [CAPTURE[name], { text, from: PREFIX + name }])),
  );
  if (!parsed.ok) return parsed;
  const { verification } = PORTS;
  if (
    parsed.value.excludeInboundPorts.some(({ first, last }) => first <= verification && verification <= last)
  ) {
    const say = `${verification} is the port by which the pod proves that it is captured: leave it out`;
    return err([`${PREFIX}exclude-inbound-ports: ${say}`]);
  }
  const variable = (name: string): string => `SALLYPORT_${name.toUpperCase().replaceAll('-', '_')}`;
  return ok(Object.fromEntries(included.map(([name, text]) => [variable(name), text])));
}

const MOST_PORTS = 128;

function portsOf(text = ''): Result<readonly number[], readonly string[]> {
  if (text.trim() === '') return ok([]);
  const entries = text.split(',', MOST_PORTS + 1).map((entry) => entry.trim());
  const name = PREFIX + SERVER_FIRST;
  if (entries.length > MOST_PORTS) return err([`${name}: at most ${MOST_PORTS} ports are read`]);
  const wrong = entries.filter((entry) => !/^[1-9][0-9]{0,4}$/.test(entry) || Number(entry) > 65_535);
  if (wrong.length > 0)
    return err(wrong.map((entry) => `${name}: ${quoted(entry)} is no port from 1 to 65535`));
  return ok([...new Set(entries.map(Number))]);
}

/** As Kubernetes writes amounts: 100m, 0.5, 128Mi. */
const QUANTITY = /^(?:[0-9]{1,12}(?:\.[0-9]{1,6})?|\.[0-9]{1,6})(?:m|k|M|G|T|Ki|Mi|Gi|Ti)?$/;

function resourcesOf(given: Given): Result<Resources, readonly string[]> {
  const mistakes: string[] = [];
  const found: { requests: Record<string, string>; limits: Record<string, string> } = {
    requests: {},
    limits: {},
  };
  for (const [name, [kind, resource]] of Object.entries(RESOURCES)) {
    const text = given(name);
    if (text === undefined) continue;
    if (QUANTITY.test(text)) found[kind][resource] = text;
    else mistakes.push(`${PREFIX}${name}: ${quoted(text)} is no amount like 100m, 0.5 or 128Mi`);
  }
  return mistakes.length === 0 ? ok(found) : err(mistakes);
}

function quoted(text: string): string {
  return JSON.stringify(printable(text.slice(0, 60)));
}
