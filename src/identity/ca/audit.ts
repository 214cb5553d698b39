import { createHash } from 'node:crypto';
import type { Log } from '#runtime';
import type { Certificate } from '../x509/certificate.ts';
import type { Attestation } from './template.ts';

/** What was issued to whom. JSON-safe: one line each in an audit stream. Times are ISO 8601. */
export interface AuditRecord {
  readonly kind: 'root' | 'intermediate' | 'leaf';
  readonly issuedAt: string;
  /** SPIFFE ID of a leaf, name of an authority. */
  readonly subject: string;
  readonly serial: string;
  readonly issuerSerial: string;
  readonly notBefore: string;
  readonly notAfter: string;
  /** Which key: SHA-256 of its SubjectPublicKeyInfo, hexadecimal. */
  readonly publicKeySha256: string;
  /** Of a leaf in a cluster: how its workload proved itself, and from where. */
  readonly attestation?: Readonly<Record<string, string>>;
}

/** Keeps the record. If it fails, the certificate isn't handed out. */
export type Audit = (record: AuditRecord) => void | Promise<void>;

export function auditToLog(log: Log): Audit {
  return (record) => log.info('certificate issued', { ...record });
}

export function auditRecord(
  kind: AuditRecord['kind'],
  subject: string,
  certificate: Certificate,
  issuer: Certificate,
  now: number,
  attestation?: Attestation,
): AuditRecord {
  return {
    kind,
    issuedAt: new Date(now).toISOString(),
    subject,
    serial: certificate.serial,
    issuerSerial: issuer.serial,
    notBefore: new Date(certificate.notBefore).toISOString(),
    notAfter: new Date(certificate.notAfter).toISOString(),
    publicKeySha256: createHash('sha256').update(certificate.publicKey.spki).digest('hex'),
    ...(attestation === undefined ? {} : { attestation: attestationRecord(attestation) }),
  };
}

function attestationRecord(attestation: Attestation): Record<string, string> {
  const { method, attestedAt, pod, remoteAddress, previousSerial, request } = attestation;
  return {
    method,
    attestedAt: new Date(attestedAt).toISOString(),
    podUid: pod.podUid,
    podName: pod.podName,
    nodeName: pod.nodeName,
    ...(remoteAddress === undefined ? {} : { remoteAddress }),
    ...(request === undefined ? {} : { request }),
    ...(previousSerial === undefined ? {} : { previousSerial }),
  };
}
