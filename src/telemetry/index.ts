/** The door of telemetry: the one folder that knows OpenTelemetry. */
export type { ConnectionSummary } from './connection-log.ts';
export type { ConnectionFacts, ConnectionRecorder, ConnectionSubject } from './connection-recorder.ts';
export type { HandshakeRecord, HandshakeSubject, MessageTime, OperationTime } from './handshake-record.ts';
export type { HandshakeRecorder } from './handshake-recorder.ts';
