import { includedInboundPorts } from './captured.ts';
import { FAMILIES, FAMILY_NAMES, isEmpty } from './networks.ts';
import { formatPorts } from './ports.ts';
import type { CaptureSettings } from './settings.ts';

/** What TCP passes beside the sidecar by these settings, for people: a line for each direction that has any. */
export function saysUncaptured(settings: CaptureSettings): readonly string[] {
  const outbound = outboundParts(settings);
  return [
    `Not captured from the network: ${inboundParts(settings).join('; ')}.`,
    ...(outbound.length > 0 ? [`Not captured of the application: ${outbound.join('; ')}.`] : []),
  ];
}

function inboundParts(settings: CaptureSettings): string[] {
  const { statusPort, excludeInboundPorts } = settings;
  const included = includedInboundPorts(settings);
  return [
    `port ${statusPort}, the status port of the sidecar`,
    ...(excludeInboundPorts.length > 0 ? [`excluded ports ${formatPorts(excludeInboundPorts)}`] : []),
    ...(included.length > 0 ? [`every port but ${formatPorts(included)}`] : []),
  ];
}

function outboundParts(settings: CaptureSettings): string[] {
  const { excludeOutboundPorts, excludeOutboundNetworks, includeOutboundPorts, includeOutboundNetworks } =
    settings;
  const excluded = FAMILIES.flatMap((family) => excludeOutboundNetworks[family]);
  return [
    ...(excludeOutboundPorts.length > 0 ? [`excluded ports ${formatPorts(excludeOutboundPorts)}`] : []),
    ...(excluded.length > 0 ? [`excluded networks ${textOf(excluded)}`] : []),
    ...(includeOutboundPorts.length > 0 ? [`every port but ${formatPorts(includeOutboundPorts)}`] : []),
    ...(isEmpty(includeOutboundNetworks) ? [] : FAMILIES).map((family) => {
      const included = includeOutboundNetworks[family];
      const name = FAMILY_NAMES[family];
      return included.length > 0 ? `of ${name} every network but ${textOf(included)}` : `all of ${name}`;
    }),
  ];
}

function textOf(networks: readonly { readonly text: string }[]): string {
  return networks.map(({ text }) => text).join(', ');
}
