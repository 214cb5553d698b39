import type { HandshakeRecord } from '#telemetry';
import type { Hop } from '../mesh-file/mesh-file.ts';
import type { ServiceState } from '../services/service-process.ts';

/** Everything that can be shown of a running mesh at one moment. Plain and JSON-safe: the control socket sends parts of it. */
export interface MeshSnapshot {
  readonly trustDomain: string;
  /** mesh.yaml as people would name it. */
  readonly file: string;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  readonly startedAt: number;
  readonly rotateEveryMilliseconds: number | undefined;
  readonly services: readonly ServiceRow[];
  readonly edges: readonly EdgeRow[];
  /** The newest first; one for each handshake, as the side that knows more of it saw it. */
  readonly handshakes: readonly HandshakeRecord[];
  readonly totals: Totals;
  /** What needs somebody's attention: a service that does not start, a policy file with mistakes. */
  readonly warnings: readonly string[];
}

export interface ServiceRow {
  readonly name: string;
  readonly identity: string;
  readonly port: number;
  readonly phase: ServiceState['phase'];
  readonly pid: number | undefined;
  readonly restarts: number;
  readonly certificate: CertificateRow | undefined;
}

/** Dates in milliseconds since the Unix epoch. */
export interface CertificateRow {
  readonly serial: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly renewals: number;
  readonly issuer: { readonly serial: string; readonly notAfter: number };
}

export interface EdgeRow extends Hop {
  /** The caller's port for this call, on 127.0.0.1. */
  readonly listen: number;
  /** What policy says, unless it permits and the newest try failed all the same: `failing`. */
  readonly state: 'permitted' | 'denied' | 'failing';
  readonly denial: Denial | undefined;
  /** Requests of the traffic in mesh.yaml that need this edge, over the last seconds. */
  readonly requestsPerSecond: number;
  /** TLS connections that are open now. */
  readonly open: number;
  readonly last: HandshakeRecord | undefined;
}

export interface Denial {
  readonly reason: string;
  readonly explanation: string;
  /** Undefined where no edit of a policy would help. */
  readonly edit:
    | {
        readonly file: string;
        readonly line: number | undefined;
        /** What stands on that line now. */
        readonly text: string | undefined;
        readonly say: string;
        /** Lines to be pasted below that one, or between its brackets; none where there is nothing to paste. */
        readonly snippet: readonly string[];
      }
    | undefined;
}

/** Counted from the start of `up`. */
export interface Totals {
  readonly requests: number;
  readonly ok: number;
  /** Permitted by policy, and failed all the same. */
  readonly failed: number;
  readonly denied: number;
  /** Forbidden by policy, and answered all the same. */
  readonly passed: number;
  /** The policies changed while the request was under way. */
  readonly undecided: number;
  /** Full handshakes with both certificates verified, counted on the server's side. */
  readonly handshakes: number;
  /** Handshakes that went on with a session: nobody signed, and both certificates were believed anew. */
  readonly resumedHandshakes: number;
  /** Handshakes that did not come so far, counted on the server's side. */
  readonly failedHandshakes: number;
  /** Connections that a policy refused. */
  readonly denials: number;
  readonly rotations: number;
}
