/** The door of capture: a pod's traffic through the sidecar without the application knowing. */
export {
  type CapturePlace,
  type CaptureReport,
  packetFilters,
  removeCapture,
  setUpCapture,
} from './capture.ts';
export { formatEndpoint } from '../listen/endpoint.ts';
export { FAMILY_NAMES } from './networks.ts';
export { namespaceFacts } from './namespace.ts';
export { PACKET_FILTERS, type PacketFilterName } from './packet-filter.ts';
export { INTERCEPT_REASONS } from './reason.ts';
export { openSocketCalls } from './socket-calls.ts';
export {
  type CaptureSettings,
  type GivenCaptureSettings,
  type GivenText,
  parseCaptureSettings,
} from './settings.ts';
export { saysUncaptured } from './uncaptured.ts';
