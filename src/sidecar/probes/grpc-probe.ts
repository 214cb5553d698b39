import type { ClientHttp2Session } from 'node:http2';
import { TlsError } from '#handshake';
import { formatEndpoint } from '../listen/endpoint.ts';
import { SIDECAR_REASONS } from '../reason.ts';
import { unlessEnded } from '../unless-ended.ts';
import { dialApplication, type ProbeContext } from './dial.ts';
import { decodeHealthStatus, encodeHealthRequest, SERVING } from './health-message.ts';
import type { GrpcTarget } from './probe.ts';

/** Resolves if the health service says SERVING; throws TlsError if it says anything else, or nothing. */
export async function probeGrpc(target: GrpcTarget, context: ProbeContext): Promise<void> {
  // Loaded when it is first asked for: most pods have no such probe, and it is large.
  const { connect: open } = await import('node:http2');
  const { host, signal } = context;
  const { port } = target;
  const { socket, close } = await dialApplication(port, context);
  const authority = formatEndpoint({ host, port });
  const session = open(`http://${authority}`, { createConnection: () => socket });
  try {
    await unlessEnded(check(session, target, context), signal);
  } finally {
    session.destroy();
    close();
  }
}

function check(
  session: ClientHttp2Session,
  { service }: GrpcTarget,
  { asking, config }: ProbeContext,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (code: 'probe-answer-invalid' | 'probe-not-serving', detail: string): void =>
      reject(new TlsError(SIDECAR_REASONS[code], detail));
    const broken = (error: Error): void => refuse('probe-answer-invalid', error.message);
    session.on('error', broken);
    const call = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': asking.userAgent,
    });
    let httpStatus: number | undefined;
    let grpcStatus: string | undefined;
    let grpcMessage = '';
    const learn = (headers: Readonly<Record<string, unknown>>): void => {
      if (typeof headers['grpc-status'] === 'string') grpcStatus = headers['grpc-status'];
      if (typeof headers['grpc-message'] === 'string') grpcMessage = headers['grpc-message'];
    };
    const chunks: Buffer[] = [];
    let bytes = 0;
    call.on('error', broken);
    call.on('response', (headers) => {
      httpStatus = headers[':status'];
      // An answer without a body has its trailers here.
      learn(headers);
    });
    call.on('trailers', learn);
    call.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > config.limits.probeBodyBytes) broken(new Error(`it says more than ${bytes} bytes`));
      else chunks.push(chunk);
    });
    call.on('close', () => {
      if (grpcStatus === undefined)
        return broken(new Error(`no gRPC status came (HTTP ${httpStatus ?? 'none'})`));
      if (grpcStatus !== '0') return refuse('probe-not-serving', `gRPC status ${grpcStatus} ${grpcMessage}`);
      const status = decodeHealthStatus(Buffer.concat(chunks));
      if (status === undefined) return broken(new Error('it is no HealthCheckResponse'));
      if (status !== SERVING) return refuse('probe-not-serving', `it says ${STATUSES[status] ?? status}`);
      resolve();
    });
    call.end(encodeHealthRequest(service));
  });
}

/** ServingStatus. */
const STATUSES: readonly string[] = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
