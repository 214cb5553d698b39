import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Reason, TlsError } from '#handshake';
import { plainAddress } from '#runtime';
import type { CheckedConfig } from '../config.ts';
import { failureOf } from '../forward/end.ts';
import { Admission } from '../listen/admission.ts';
import { isLoopback } from '../listen/endpoint.ts';
import { SIDECAR_REASONS } from '../reason.ts';
import type { ProbeContext } from './dial.ts';
import { probeGrpc } from './grpc-probe.ts';
import { probeHttp } from './http-probe.ts';
import type { Probe } from './probe.ts';
import { probeTcp } from './tcp-probe.ts';

/** Paths of probes begin so; what follows is a token. */
const PROBE_PATH = '/probe/';

/** The probes of one pod, and how they are answered. */
export class Probes {
  readonly #config: CheckedConfig;
  readonly #isSidecarPort: (port: number) => boolean;
  readonly #known: readonly { readonly digest: Buffer; readonly probe: Probe }[];
  readonly #atOnce: Admission;

  constructor(config: CheckedConfig, probes: readonly Probe[], isSidecarPort: (port: number) => boolean) {
    this.#config = config;
    this.#isSidecarPort = isSidecarPort;
    this.#known = probes.map((probe) => ({ probe, digest: digestOf(probe.token) }));
    this.#atOnce = new Admission(config.limits.probes);
  }

  /** The probe that a path stands for. How long it takes tells nothing of the paths there are. */
  at(path: string): Probe | undefined {
    const digest = digestOf(path.startsWith(PROBE_PATH) ? path.slice(PROBE_PATH.length) : '');
    let found: Probe | undefined;
    for (const known of this.#known) if (timingSafeEqual(known.digest, digest)) found = known.probe;
    return found;
  }

  /**
   * Asks the application and answers as it did. To the kubelet an HTTP probe that cannot be made ends without an answer,
   * since for a hook any answer at all is a success; the others have none of their own that could be passed on.
   */
  async answer(probe: Probe, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const leave = this.#atOnce.enter();
    const { clock, log } = this.#config;
    const gone = new AbortController();
    const end = (reason: Reason, detail: string): void => gone.abort(new TlsError(reason, detail));
    const cancel = clock.after(probe.timeoutMilliseconds, () =>
      end(SIDECAR_REASONS['probe-timeout'], `${probe.timeoutMilliseconds} ms`),
    );
    response.on('close', () => end(SIDECAR_REASONS['probe-timeout'], 'the kubelet did not wait longer'));
    try {
      if (leave === undefined)
        throw new TlsError(SIDECAR_REASONS['too-many-probes'], `${this.#atOnce.cap} are in progress`);
      const status = await this.#ask(probe, request, gone.signal);
      response.writeHead(status, { 'cache-control': 'no-store' }).end();
    } catch (error) {
      const { reason, detail } = failureOf(error, SIDECAR_REASONS['internal-error']);
      const { kind, port } = probe.target;
      log.warn('a probe failed', {
        kind,
        port,
        reason: reason.code,
        say: reason.say,
        next: reason.next,
        detail,
      });
      if (kind === 'http') request.socket.resetAndDestroy();
      else response.writeHead(503, { 'cache-control': 'no-store' }).end();
    } finally {
      cancel();
      leave?.();
    }
  }

  async #ask(
    { target, timeoutMilliseconds }: Probe,
    { headers, socket }: IncomingMessage,
    signal: AbortSignal,
  ): Promise<number> {
    const host = plainAddress(socket.localAddress);
    // What listens there only is not for the kubelet either, who cannot call it.
    if (isLoopback(host))
      throw new TlsError(SIDECAR_REASONS['probe-answer-invalid'], 'it was asked on loopback');
    const asking = { userAgent: headers['user-agent'] ?? '', accept: headers.accept ?? '' };
    const context: ProbeContext = {
      host,
      timeoutMilliseconds,
      asking,
      config: this.#config,
      isSidecarPort: this.#isSidecarPort,
      signal,
    };
    if (target.kind === 'http') return probeHttp(target, context);
    await (target.kind === 'tcp' ? probeTcp(target, context) : probeGrpc(target, context));
    return 200;
  }
}

/** Of one length, whatever was sent. */
function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
