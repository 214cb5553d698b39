/** The door of telemetry: the one folder that knows OpenTelemetry. */
export type { ConnectionRecorder } from './connection-recorder.ts';
export type { HandshakeRecord } from './handshake-record.ts';
export type { HandshakeRecorder } from './handshake-recorder.ts';
export { TelemetrySettingsError } from './settings.ts';
export { Telemetry } from './telemetry.ts';
