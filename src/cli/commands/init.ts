import type { Refusal } from '#handshake';
import { systemClock } from '#runtime';
import {
  type CapturePlace,
  type CaptureReport,
  type CaptureSettings,
  FAMILY_NAMES,
  formatEndpoint,
  type GivenCaptureSettings,
  type GivenText,
  namespaceFacts,
  PACKET_FILTERS,
  type PacketFilterName,
  packetFilters,
  parseCaptureSettings,
  removeCapture,
  saysUncaptured,
  setUpCapture,
} from '#sidecar/intercept';
import { UsageError } from '../usage-error.ts';

export interface InitOptions {
  readonly print: boolean;
  readonly remove: boolean;
  /** A name of PACKET_FILTERS; undefined: the first that works. */
  readonly filter: string | undefined;
  /** Flags as they were given, by the name of the setting. */
  readonly flags: Readonly<Partial<Record<keyof CaptureSettings, string>>>;
  readonly env: NodeJS.ProcessEnv;
}

/** `sallyport init`: 0 when capture stands and was proved, 1 when it can't be. Throws UsageError with every wrong value. */
export async function init({ print, remove, filter, flags, env }: InitOptions): Promise<number> {
  const settings = readSettings(flags, env);
  const only = filterName(filter);
  const namespace = namespaceFacts();
  const filters = packetFilters(namespace.ipv6);
  if (print) {
    const printed = filters.find(({ name }) => name === (only ?? PACKET_FILTERS[0]));
    process.stdout.write(printed?.print(settings) ?? '');
    return 0;
  }
  const place: CapturePlace = {
    namespace,
    pod: { inKubernetes: env.KUBERNETES_SERVICE_HOST !== undefined, hostAddresses: hostAddresses(env) },
    uid: process.getuid?.() ?? 0,
    clock: systemClock,
  };
  if (remove) {
    const removed = await removeCapture(filters, place);
    return removed.ok
      ? say('Capture is removed: traffic of this namespace passes untouched.')
      : refuse(removed.error);
  }
  const done = await setUpCapture(settings, filters, place, only);
  return done.ok ? say(success(settings, done.value)) : refuse(done.error);
}

/** A flag outweighs the environment, where an annotation comes by the downward API. */
function readSettings(flags: InitOptions['flags'], env: NodeJS.ProcessEnv): CaptureSettings {
  const given: Partial<Record<keyof CaptureSettings, GivenText>> = {};
  for (const name of SETTINGS) {
    const words = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const variable = `SALLYPORT_${words.toUpperCase().replaceAll('-', '_')}`;
    const flag = flags[name];
    const value = env[variable];
    if (flag !== undefined) given[name] = { text: flag, from: `--${words}` };
    else if (value !== undefined && value !== '') given[name] = { text: value, from: variable };
  }
  const parsed = parseCaptureSettings(given satisfies GivenCaptureSettings);
  if (parsed.ok) return parsed.value;
  const mistakes = parsed.error.map((mistake) => `  ${mistake}`).join('\n');
  throw new UsageError(`Nothing was changed, since these values are wrong:\n${mistakes}`);
}

const SETTINGS = [
  'inboundPort',
  'outboundPort',
  'uid',
  'statusPort',
  'verificationPort',
  'excludeInboundPorts',
  'excludeOutboundPorts',
  'excludeOutboundNetworks',
  'includeInboundPorts',
  'includeOutboundPorts',
  'includeOutboundNetworks',
] as const satisfies readonly (keyof CaptureSettings)[];

function filterName(text: string | undefined): PacketFilterName | undefined {
  if (text === undefined) return undefined;
  const found = PACKET_FILTERS.find((name) => name === text);
  if (found === undefined) throw new UsageError(`--filter takes ${PACKET_FILTERS.join(', ')}.`);
  return found;
}

/** status.hostIPs: addresses with commas between them. */
function hostAddresses(env: NodeJS.ProcessEnv): readonly string[] | undefined {
  return env.SALLYPORT_HOST_IPS?.split(',').filter((address) => address !== '');
}

function success(settings: CaptureSettings, { filter, proof }: CaptureReport): string {
  const { inboundPort, outboundPort, uid } = settings;
  const seen = proof.captured.map(formatEndpoint);
  const absent = proof.withoutRoute.map((family) => FAMILY_NAMES[family]);
  return [
    `Capture is set up (${filter}): TCP from the network goes to port ${inboundPort}, TCP of the application to port ${outboundPort}.`,
    `Proved by connections to ${seen.join(' and ')}, which arrived there. Those of user ${uid} pass.`,
    ...saysUncaptured(settings),
    ...(absent.length > 0
      ? [`There is no route for ${absent.join(' and ')}, so nothing could be proved of it.`]
      : []),
  ].join('\n');
}

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

function refuse({ reason, detail }: Refusal): number {
  process.stderr.write(`${reason.say} (${reason.code}: ${detail})\n${reason.next}\n`);
  return 1;
}
