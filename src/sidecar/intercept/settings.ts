import { err, ok, type Result } from '#runtime';
import { quoted } from './list.ts';
import { NO_NETWORKS, type Networks, parseNetworks } from './networks.ts';
import { hasPort, mergePorts, type PortRange, parsePort, parsePorts } from './ports.ts';

/** What is captured. Only `parseCaptureSettings` makes one, so what is in it needs no further check. */
export interface CaptureSettings {
  /** Where captured connections from the network go. */
  readonly inboundPort: number;
  /** Where captured connections of the application go. */
  readonly outboundPort: number;
  /** Whose connections pass: the sidecar's own. */
  readonly uid: number;
  /** Never captured: the sidecar's own port for metrics, readiness and probes. */
  readonly statusPort: number;
  /** An exclusion outweighs an inclusion. */
  readonly excludeInboundPorts: readonly PortRange[];
  readonly excludeOutboundPorts: readonly PortRange[];
  readonly excludeOutboundNetworks: Networks;
  /** Empty: every port, every network. */
  readonly includeInboundPorts: readonly PortRange[];
  readonly includeOutboundPorts: readonly PortRange[];
  readonly includeOutboundNetworks: Networks;
}

/** A text from outside, and what to call its place in an error: `--uid`, `SALLYPORT_UID`. */
export interface GivenText {
  readonly text: string;
  readonly from: string;
}

export type GivenCaptureSettings = { readonly [Name in keyof CaptureSettings]?: GivenText | undefined };

export const CAPTURE_DEFAULTS: CaptureSettings = Object.freeze({
  inboundPort: 15_006,
  outboundPort: 15_001,
  uid: 1_337,
  statusPort: 15_020,
  excludeInboundPorts: [],
  excludeOutboundPorts: [],
  excludeOutboundNetworks: NO_NETWORKS,
  includeInboundPorts: [],
  includeOutboundPorts: [],
  includeOutboundNetworks: NO_NETWORKS,
});

/** The error holds every mistake, each beginning with where it was read. */
export function parseCaptureSettings(
  given: GivenCaptureSettings,
): Result<CaptureSettings, readonly string[]> {
  const mistakes: string[] = [];
  const read = <Name extends keyof CaptureSettings>(
    name: Name,
    parse: (text: string) => Result<CaptureSettings[Name], readonly string[]>,
  ): CaptureSettings[Name] => {
    const found = given[name];
    if (found === undefined) return CAPTURE_DEFAULTS[name];
    const parsed = parse(found.text);
    if (parsed.ok) return parsed.value;
    mistakes.push(...parsed.error.map((say) => `${found.from}: ${say}`));
    return CAPTURE_DEFAULTS[name];
  };
  const settings: CaptureSettings = {
    inboundPort: read('inboundPort', parseOnePort),
    outboundPort: read('outboundPort', parseOnePort),
    uid: read('uid', parseUid),
    statusPort: read('statusPort', parseOnePort),
    excludeInboundPorts: read('excludeInboundPorts', parsePorts),
    excludeOutboundPorts: read('excludeOutboundPorts', parsePorts),
    excludeOutboundNetworks: read('excludeOutboundNetworks', parseNetworks),
    includeInboundPorts: read('includeInboundPorts', parsePorts),
    includeOutboundPorts: read('includeOutboundPorts', parsePorts),
    includeOutboundNetworks: read('includeOutboundNetworks', parseNetworks),
  };
  // One mistake makes others that are none: the default stands where the value is missing.
  if (mistakes.length === 0) mistakes.push(...clashes(settings));
  return mistakes.length === 0 ? ok(Object.freeze(settings)) : err(mistakes);
}

/** Ports from the network that are left alone: those excluded, and the sidecar's own. */
export function untouchedInboundPorts(settings: CaptureSettings): readonly PortRange[] {
  const { excludeInboundPorts, statusPort } = settings;
  return mergePorts([...excludeInboundPorts, { first: statusPort, last: statusPort }]);
}

function parseOnePort(text: string): Result<number, readonly string[]> {
  const port = parsePort(text);
  return port === undefined ? err([`${quoted(text)} is no port: write a number from 1 to 65535`]) : ok(port);
}

/** Not 0: nothing of what runs as root would be captured. 2^32-1 means "unchanged" to chown(2) and the like. */
function parseUid(text: string): Result<number, readonly string[]> {
  const uid = /^[1-9][0-9]{0,9}$/.test(text) ? Number(text) : 0;
  if (uid > 0 && uid < 2 ** 32 - 1) return ok(uid);
  return err([`${quoted(text)} is no user id: write a number from 1 to 4294967294`]);
}

function clashes(settings: CaptureSettings): string[] {
  const { inboundPort, outboundPort, statusPort } = settings;
  const own = { 'inbound port': inboundPort, 'outbound port': outboundPort, 'status port': statusPort };
  const seen = new Map<number, string>();
  const found: string[] = [];
  for (const [name, port] of Object.entries(own)) {
    const other = seen.get(port);
    if (other !== undefined) found.push(`the ${name} and the ${other} are both ${port}: give each its own`);
    seen.set(port, name);
  }
  // What would be left alone there is the sidecar itself, without the redirect that says who was meant.
  for (const [name, port] of Object.entries({ 'inbound port': inboundPort, 'outbound port': outboundPort })) {
    if (hasPort(settings.excludeInboundPorts, port)) {
      found.push(`the excluded inbound ports hold the sidecar's own ${name} ${port}: leave it out`);
    }
  }
  return found;
}
