import type { Refusal } from '#handshake';
import type { IssuedCertificate, SpiffeId } from '#identity';
import type { Attestation, IssuableRequest, LeafBounds } from '#identity/ca';
import { ISSUANCE_REASONS, type IssuanceOutcome, RateLimit, type Revocation } from '#identity/issuance';
import { type Clock, type Log, type ReadableWatch, type Result, type Scope, sleep } from '#runtime';
import type { Pods } from '../issuance/pods.ts';
import { type KubernetesApi, statusText } from '../kubernetes/api.ts';
import { judge, type Verdict } from './judge.ts';
import { POD_CERTIFICATE_LIMITS as LIMITS } from './limits.ts';
import { type PodCertificateRequest, readPodCertificateRequest } from './request.ts';
import { deniedStatus, issuedStatus, type TerminalStatus } from './status.ts';

export interface PodCertificateSignerConfig {
  /** Requests for another signer are somebody else's. */
  readonly signerName: string;
  readonly api: KubernetesApi;
  readonly authority: {
    issueFor(
      request: IssuableRequest,
      identity: SpiffeId,
      attestation: Attestation,
      bounds: LeafBounds,
    ): Promise<Result<IssuedCertificate, Refusal>>;
  };
  readonly pods: Pods;
  /** Whether all pods were told once. */
  readonly synced: () => boolean;
  readonly revocations: ReadableWatch<readonly Revocation[]>;
  readonly trustDomain: string;
  /** One replica answers. Two that both believe they lead do no harm: the API server takes the first answer. */
  readonly leads: ReadableWatch<boolean>;
  readonly clock: Clock;
  readonly log: Log;
  readonly onOutcome?: (outcome: IssuanceOutcome) => void;
}

interface Pending {
  readonly asked: PodCertificateRequest;
  /** By the monotonic clock, as all times here. */
  readonly seenAt: number;
  dueAt: number;
  attempts: number;
  /** The code of what it waits for. */
  waitsFor: string | undefined;
  /** That which the log was last told. */
  told: string | undefined;
  answer:
    | { readonly status: TerminalStatus; readonly refusal: Refusal | undefined; readonly at: number }
    | undefined;
}

/** The collection that is listed and watched. */
export const POD_CERTIFICATE_REQUESTS = '/apis/certificates.k8s.io/v1beta1/podcertificaterequests';
export const GROUP_PATH = '/apis/certificates.k8s.io/v1beta1';

/**
 * The signer of PodCertificateRequests (KEP-4317): certificates for pods without a sidecar, by the authority and audit of
 * all others. Its answers are final for the kubelet, so only what stays wrong is denied; the rest waits.
 */
export class PodCertificateSigner {
  readonly #config: PodCertificateSignerConfig;
  readonly #perNode: RateLimit;
  readonly #pending = new Map<string, Pending>();
  #overflowing = false;
  #wake = (): void => undefined;

  constructor(config: PodCertificateSignerConfig) {
    this.#config = config;
    this.#perNode = new RateLimit(LIMITS.node, LIMITS.nodes, config.clock);
  }

  /** Requests that wait for an answer. */
  get pending(): number {
    return this.#pending.size;
  }

  /** The request `<namespace>/<name>` as it is now; undefined: it is gone. */
  apply(key: string, object: object | undefined): void {
    const asked = object === undefined ? undefined : readPodCertificateRequest(object);
    if (asked === undefined || asked.answered || asked.signerName !== this.#config.signerName) {
      this.#pending.delete(key);
      return;
    }
    const before = this.#pending.get(key);
    if (before === undefined && !this.#hasRoom(asked)) return;
    const now = this.#config.clock.monotonic();
    const seenAt = before?.asked.uid === asked.uid ? before.seenAt : now;
    const waitsFor = undefined;
    this.#pending.set(key, {
      asked,
      seenAt,
      dueAt: now,
      attempts: 0,
      waitsFor,
      told: waitsFor,
      answer: waitsFor,
    });
    this.#wake();
  }

  run(scope: Scope): void {
    const { clock, leads, pods } = this.#config;
    scope.defer(leads.subscribe(() => this.#wake()));
    scope.defer(
      pods.subscribe(() => {
        if (leads.value && this.#pending.size > 0) this.#hurry();
      }),
    );
    scope.run(async (signal) => {
      for (;;) {
        const woken = new AbortController();
        this.#wake = () => woken.abort();
        if (leads.value) await this.#answerDue(signal);
        const either = AbortSignal.any([signal, woken.signal]);
        await sleep(clock, leads.value ? this.#untilDue() : IDLE_MILLISECONDS, either).catch(() =>
          signal.throwIfAborted(),
        );
      }
    });
  }

  /** What is remembered of requests has a bound; a request beyond it is heard of again when all are listed anew. */
  #hasRoom({ namespace, name }: PodCertificateRequest): boolean {
    const room = this.#pending.size < LIMITS.pending;
    if (!room && !this.#overflowing) {
      const reason = ISSUANCE_REASONS['too-many-requests'];
      const detail = `${LIMITS.pending} PodCertificateRequests wait; ${namespace}/${name} was left out`;
      this.#config.log.warn('a certificate was refused', { method: METHOD, reason: reason.code, detail });
      this.#config.onOutcome?.({ method: METHOD, refusal: { reason, detail }, milliseconds: 0 });
    }
    this.#overflowing = !room;
    return room;
  }

  /** A pod has changed: what waited for one is looked at again. */
  #hurry(): void {
    let hurried = false;
    for (const pending of this.#pending.values()) {
      if (pending.waitsFor !== ISSUANCE_REASONS['pod-unknown'].code) continue;
      pending.dueAt = this.#config.clock.monotonic();
      hurried = true;
    }
    if (hurried) this.#wake();
  }

  #untilDue(): number {
    const now = this.#config.clock.monotonic();
    let wait: number = IDLE_MILLISECONDS;
    for (const { dueAt } of this.#pending.values()) wait = Math.min(wait, dueAt - now);
    return Math.max(wait, 0);
  }

  async #answerDue(signal: AbortSignal): Promise<void> {
    const now = this.#config.clock.monotonic();
    const due = [...this.#pending].filter(([, { dueAt }]) => dueAt <= now);
    for (let from = 0; from < due.length && !signal.aborted; from += LIMITS.atOnce) {
      await Promise.all(
        due.slice(from, from + LIMITS.atOnce).map(([key, pending]) => this.#answer(key, pending, signal)),
      );
    }
  }

  /** Never rejects for what the API server or the authority says. */
  async #answer(key: string, pending: Pending, signal: AbortSignal): Promise<void> {
    const { clock, onOutcome } = this.#config;
    const { asked } = pending;
    const start = clock.monotonic();
    const answer = await this.#decide(pending);
    if (answer === undefined) return;
    pending.answer = answer;
    const { refusal, status } = answer;
    const problem = await this.#write(asked, status, signal);
    if (problem !== undefined) {
      this.#later(pending, { reason: ISSUANCE_REASONS['pod-certificate-not-written'], detail: problem });
      return;
    }
    // A change that came meanwhile has put another in its place.
    if (this.#pending.get(key) === pending) this.#pending.delete(key);
    if (refusal !== undefined) this.#refused(asked, refusal);
    onOutcome?.({ method: METHOD, refusal, milliseconds: clock.monotonic() - start });
  }

  /** What to write; undefined: it is looked at again later. */
  async #decide(pending: Pending): Promise<Answer | undefined> {
    const { clock, pods, revocations, synced, trustDomain } = this.#config;
    const { asked, seenAt } = pending;
    const at = clock.monotonic();
    const before = pending.answer;
    const { nodeName } = asked.pod;
    // Before anything is read of it: whoever asks too often pays with time of its own.
    if (before === undefined && !this.#perNode.take(nodeName)) {
      return this.#later(pending, {
        reason: ISSUANCE_REASONS['too-many-requests'],
        detail: `node ${nodeName}`,
      });
    }
    const verdict = judge(asked, {
      pod: pods.byUid(asked.pod.podUid),
      synced: synced(),
      revocations: revocations.value,
      trustDomain,
      ageMilliseconds: at - seenAt,
    });
    if (verdict.answer === 'wait') return this.#later(pending, verdict.refusal);
    if (verdict.answer === 'deny') return denied(verdict.refusal, clock.now(), at);
    // The same certificate again, and not another: what was recorded is what somebody may hold.
    if (before?.refusal === undefined && before !== undefined && at - before.at < LIMITS.answerMilliseconds) {
      return before;
    }
    const issued = await this.#issue(asked, verdict);
    if (issued.ok) return { status: issuedStatus(issued.value, clock.now()), refusal: undefined, at };
    if (issued.error.reason.blame === 'peer') return denied(issued.error, clock.now(), at);
    return this.#later(pending, issued.error);
  }

  #issue(
    { mostMilliseconds, name, namespace, pod }: PodCertificateRequest,
    { identity, request }: Extract<Verdict, { answer: 'issue' }>,
  ): Promise<Result<IssuedCertificate, Refusal>> {
    const { authority, clock } = this.#config;
    const attestation = {
      method: 'pod-certificate-request',
      attestedAt: clock.now(),
      pod,
      request: `${namespace}/${name}`,
    } as const;
    const bounds = {
      backdate: LIMITS.backdateMilliseconds,
      least: LIMITS.leastMilliseconds,
      most: mostMilliseconds,
    };
    return authority.issueFor(request, identity, attestation, bounds);
  }

  /** undefined: it is written, or it is gone. Compares resourceVersions: an answer to what was changed is none. */
  async #write(
    { name, namespace, resourceVersion, uid }: PodCertificateRequest,
    status: TerminalStatus,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const path = `/apis/${GROUP}/namespaces/${namespace}/podcertificaterequests/${name}/status`;
    const metadata = { name, namespace, uid, resourceVersion };
    const body = { apiVersion: GROUP, kind: 'PodCertificateRequest', metadata, status };
    try {
      const written = await this.#config.api.send('PUT', path, body, signal);
      return written.status === OK || written.status === NOT_FOUND ? undefined : statusText(written);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** Told once for each reason that keeps one request waiting, unless it was over at once. */
  #later(pending: Pending, refusal: Refusal): undefined {
    const { code } = refusal.reason;
    const delay = Math.min(
      LIMITS.firstRetryMilliseconds * 2 ** pending.attempts,
      LIMITS.longestRetryMilliseconds,
    );
    pending.attempts += 1;
    pending.dueAt = this.#config.clock.monotonic() + delay;
    pending.waitsFor = code;
    if (pending.attempts > 1 && pending.told !== code) {
      pending.told = code;
      this.#refused(pending.asked, refusal);
    }
    return undefined;
  }

  #refused({ name, namespace, pod }: PodCertificateRequest, { reason, detail }: Refusal): void {
    this.#config.log.warn('a certificate was refused', {
      method: METHOD,
      reason: reason.code,
      detail,
      next: reason.next,
      request: `${namespace}/${name}`,
      podUid: pod.podUid,
      nodeName: pod.nodeName,
    });
  }
}

type Answer = NonNullable<Pending['answer']>;

const METHOD = 'pod-certificate';
const GROUP = 'certificates.k8s.io/v1beta1';
const OK = 200;
const NOT_FOUND = 404;
const IDLE_MILLISECONDS = 60_000;

function denied(refusal: Refusal, now: number, at: number): Answer {
  return { status: deniedStatus(refusal, now), refusal, at };
}
