import { err, ok, type Result } from '#runtime';
import { clashes } from './clashes.ts';
import { quoted } from './list.ts';
import { NO_NETWORKS, type NetworksByFamily, parseNetworks } from './networks.ts';
import { LAST_PORT, type PortRange, parsePort, parsePorts } from './ports.ts';

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
  /** Always captured: nobody listens on it, so that an answer there proves that inbound capture works. */
  readonly verificationPort: number;
  /** An exclusion outweighs an inclusion. */
  readonly excludeInboundPorts: readonly PortRange[];
  readonly excludeOutboundPorts: readonly PortRange[];
  readonly excludeOutboundNetworks: NetworksByFamily;
  /** Empty: every port, every network. */
  readonly includeInboundPorts: readonly PortRange[];
  readonly includeOutboundPorts: readonly PortRange[];
  readonly includeOutboundNetworks: NetworksByFamily;
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
  verificationPort: 15_021,
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
    verificationPort: read('verificationPort', parseOnePort),
    excludeInboundPorts: read('excludeInboundPorts', parseExcludedPorts),
    excludeOutboundPorts: read('excludeOutboundPorts', parseExcludedPorts),
    excludeOutboundNetworks: read('excludeOutboundNetworks', parseNetworks),
    includeInboundPorts: read('includeInboundPorts', parseIncludedPorts),
    includeOutboundPorts: read('includeOutboundPorts', parseIncludedPorts),
    includeOutboundNetworks: read('includeOutboundNetworks', parseNetworks),
  };
  // One mistake makes others that are none: the default stands where the value is missing.
  if (mistakes.length === 0) mistakes.push(...clashes(settings, given));
  return mistakes.length === 0 ? ok(Object.freeze(settings)) : err(mistakes);
}

function parseExcludedPorts(text: string): Result<readonly PortRange[], readonly string[]> {
  return unlessAll(parsePorts(text), 'to leave a pod alone, do not run init in it');
}

function parseIncludedPorts(text: string): Result<readonly PortRange[], readonly string[]> {
  return unlessAll(parsePorts(text), 'every port is captured where this is left out');
}

function unlessAll(
  parsed: Result<readonly PortRange[], readonly string[]>,
  say: string,
): Result<readonly PortRange[], readonly string[]> {
  const [only] = parsed.ok ? parsed.value : [];
  const all = only?.first === 1 && only.last === LAST_PORT;
  return all ? err([`together they are all ports: ${say}`]) : parsed;
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
