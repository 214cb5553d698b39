/** The door of telemetry: the one folder that knows OpenTelemetry. */
export type { CredentialDates, RenewalFailures } from './certificate-meters.ts';
export type { ConnectionSummary } from './connection-log.ts';
export type { ConnectionFacts, ConnectionRecorder, ConnectionSubject } from './connection-recorder.ts';
export type { PolicyDecision } from './handshake-meters.ts';
export type { HandshakeRecord, HandshakeSubject, MessageTime, OperationTime } from './handshake-record.ts';
export type { HandshakeRecorder } from './handshake-recorder.ts';
export { TelemetrySettingsError } from './settings.ts';
export { Telemetry, type TelemetryConfig } from './telemetry.ts';
