import {
  capturedAddresses,
  capturedInboundPorts,
  capturedOutboundPorts,
  excludesFamily,
  onePort,
} from './captured.ts';
import { FAMILIES, FAMILY_NAMES } from './networks.ts';
import { formatPorts, hasPort, parsePortEntries, portsWithout } from './ports.ts';
import type { CaptureSettings, GivenCaptureSettings } from './settings.ts';

/** What of values that are right each by itself contradicts another, or leaves nothing to capture. Empty: nothing. */
export function clashes(settings: CaptureSettings, given: GivenCaptureSettings): string[] {
  return [
    ...sharedPorts(settings),
    ...ownPortsExcluded(settings),
    ...ownPortsIncluded(settings),
    ...namedTwice(settings, given, 'includeInboundPorts', 'excludeInboundPorts'),
    ...namedTwice(settings, given, 'includeOutboundPorts', 'excludeOutboundPorts'),
    ...nothingLeft(settings),
  ];
}

function sharedPorts({ inboundPort, outboundPort, statusPort, verificationPort }: CaptureSettings): string[] {
  const own = {
    'inbound port': inboundPort,
    'outbound port': outboundPort,
    'status port': statusPort,
    'verification port': verificationPort,
  };
  const seen = new Map<number, string>();
  const found: string[] = [];
  for (const [name, port] of Object.entries(own)) {
    const other = seen.get(port);
    if (other !== undefined) found.push(`the ${name} and the ${other} are both ${port}: give each its own`);
    seen.set(port, name);
  }
  return found;
}

function ownPortsExcluded({ excludeInboundPorts, ...settings }: CaptureSettings): string[] {
  const found: string[] = [];
  // What would be left alone there is the sidecar itself, without the redirect that says who was meant.
  for (const name of ['inbound', 'outbound'] as const) {
    const port = settings[`${name}Port`];
    if (hasPort(excludeInboundPorts, port))
      found.push(`the excluded inbound ports hold the sidecar's own ${name} port ${port}: leave it out`);
  }
  const { verificationPort } = settings;
  if (hasPort(excludeInboundPorts, verificationPort)) {
    found.push(
      `the excluded inbound ports hold the sidecar's own verification port ${verificationPort}: capture could not be verified by it, so leave it out`,
    );
  }
  return found;
}

function ownPortsIncluded({ includeInboundPorts, statusPort }: CaptureSettings): string[] {
  return hasPort(includeInboundPorts, statusPort)
    ? [
        `the included inbound ports hold the sidecar's own status port ${statusPort}, which is never captured: leave it out, or give the sidecar another one`,
      ]
    : [];
}

/** An inclusion may have exceptions; one of which nothing is left was meant otherwise. */
function namedTwice(
  settings: CaptureSettings,
  given: GivenCaptureSettings,
  included: 'includeInboundPorts' | 'includeOutboundPorts',
  excluded: 'excludeInboundPorts' | 'excludeOutboundPorts',
): string[] {
  const text = given[included];
  const entries = text === undefined ? undefined : parsePortEntries(text.text);
  if (text === undefined || entries?.ok !== true) return [];
  return entries.value
    .filter((entry) => portsWithout([entry], settings[excluded]).length === 0)
    .map((entry) => {
      const ports = formatPorts([entry]);
      return `${text.from}: ${ports} is excluded as well, by ${given[excluded]?.from ?? excluded}: name it in one of them`;
    });
}

function nothingLeft(settings: CaptureSettings): string[] {
  const { inboundPort, outboundPort, verificationPort } = settings;
  const own = [inboundPort, outboundPort, verificationPort].map(onePort);
  const found: string[] = [];
  if (portsWithout(capturedInboundPorts(settings), own).length === 0)
    found.push(`together the inbound ports leave none of the application captured: ${LEAVE_ALONE}`);
  if (capturedOutboundPorts(settings).length === 0)
    found.push(`together the outbound ports leave none captured: ${LEAVE_ALONE}`);
  for (const family of FAMILIES) {
    const name = FAMILY_NAMES[family];
    if (excludesFamily(settings, family))
      found.push(`together the excluded networks are every address of ${name}: ${LEAVE_ALONE}`);
    else if (
      settings.includeOutboundNetworks[family].length > 0 &&
      capturedAddresses(settings, family).length === 0
    )
      found.push(`nothing of the included ${name} networks is left by the excluded ones: ${LEAVE_ALONE}`);
  }
  return found;
}

const LEAVE_ALONE = 'exclude less, or to leave a pod alone, do not run init in it';
