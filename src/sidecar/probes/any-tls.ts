import type { Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { TlsError } from '#handshake';
import { SIDECAR_REASONS } from '../reason.ts';

/**
 * TLS 1.2 or 1.3 with a server whose certificate nobody looks at: what the kubelet does for probes with the scheme HTTPS
 * (Kubernetes, pkg/probe/http/http.go: InsecureSkipVerify). This is Node's TLS and not our engine, which speaks 1.3 and
 * believes no certificate unseen; it asks the application of this pod, at an address of this pod, shows no identity and
 * carries a probe. For nothing else (SECURITY.md).
 */
export function tlsWithAnybody(socket: Socket): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const stream = connect({ socket, rejectUnauthorized: false, minVersion: 'TLSv1.2' }, () =>
      resolve(stream),
    );
    const fail = (detail: string): void =>
      reject(new TlsError(SIDECAR_REASONS['probe-answer-invalid'], detail));
    // Stays: whatever comes later is the request's to tell.
    stream.on('error', ({ message }) => fail(message));
    stream.once('close', () => fail('it closed the connection during the handshake'));
  });
}
