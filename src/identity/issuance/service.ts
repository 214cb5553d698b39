import { createHash } from 'node:crypto';
import type { Refusal } from '#handshake';
import {
  ISSUANCE,
  type IssuanceHandlers,
  type IssueRequest__Output,
  type IssueResponse,
  type RenewRequest__Output,
  type RpcConnection,
  type RpcRefusal,
  type RpcService,
  serve,
  type UnaryCall,
} from '#rpc';
import { type Clock, err, type Log, ok, printable, type ReadableWatch, type Result } from '#runtime';
import {
  type Attestation,
  attestedAtOf,
  type IssuableRequest,
  namesAnother,
  parseIssuableRequest,
} from '../ca/index.ts';
import type { IssuedCertificate } from '../issued-certificate.ts';
import type { SpiffeId } from '../spiffe-id.ts';
import type { SpiffePeer } from '../verifier.ts';
import type { PodIdentity } from '../x509/extensions/pod-identity.ts';
import type { Attestor } from './attestor.ts';
import { ISSUANCE_LIMITS, type IssuanceRates } from './limits.ts';
import { RateLimit } from './rate-limit.ts';
import { authorityRefusal, refuseIssuance, refuseRevoked } from './refuse.ts';
import type { Holder, Revocation } from './revocation.ts';
import { TokenKeys, type TokenLedger, type TokenUse } from './token-keys.ts';

export interface IssuanceConfig {
  readonly authority: {
    issueFor(
      request: IssuableRequest,
      identity: SpiffeId,
      attestation: Attestation,
    ): Promise<Result<IssuedCertificate, Refusal>>;
  };
  readonly attestor: Attestor;
  readonly revocations: ReadableWatch<readonly Revocation[]>;
  /** Shared by all replicas. */
  readonly ledger: TokenLedger;
  readonly clock: Clock;
  readonly log: Log;
  readonly rates?: Partial<IssuanceRates>;
  /** Of each request, for metrics. */
  readonly onOutcome?: (outcome: IssuanceOutcome) => void;
}

export interface IssuanceOutcome {
  readonly method: 'issue' | 'renew' | 'pod-certificate';
  /** undefined: a certificate was issued. */
  readonly refusal: Refusal | undefined;
  readonly milliseconds: number;
  /** Who proved to be the one that asks; undefined: nobody yet. */
  readonly pod?: PodIdentity | undefined;
}

/** What becomes known while a request is answered. */
interface Known {
  pod: PodIdentity | undefined;
}

type Answer = Result<IssueResponse, RpcRefusal>;

/**
 * `sallyport.v1.Issuance`: certificates for what pods prove about themselves. Whom a certificate names comes from the
 * attestation alone; of the request only the key is used, and one that asks for another name is refused.
 */
export class IssuanceService {
  readonly #config: IssuanceConfig;
  readonly #tokenKeys: TokenKeys;
  readonly #perPod: RateLimit;
  readonly #tokensPerPod: RateLimit;
  readonly #perAddress: RateLimit;
  readonly #overall: RateLimit;
  readonly #lines: RateLimit;
  readonly #linesOverall: RateLimit;
  /** Refusals since the last line. */
  #unlogged = 0;

  constructor(config: IssuanceConfig) {
    const { clock, rates } = config;
    const { pod, token, address, overall } = { ...ISSUANCE_LIMITS, ...rates };
    this.#config = config;
    this.#tokenKeys = new TokenKeys(config.ledger, ISSUANCE_LIMITS.tokens, clock);
    this.#perPod = new RateLimit(pod, ISSUANCE_LIMITS.remembered, clock);
    this.#tokensPerPod = new RateLimit(token, ISSUANCE_LIMITS.remembered, clock);
    this.#perAddress = new RateLimit(address, ISSUANCE_LIMITS.remembered, clock);
    this.#overall = new RateLimit(overall, 1, clock);
    this.#lines = new RateLimit(ISSUANCE_LIMITS.lines, ISSUANCE_LIMITS.remembered, clock);
    this.#linesOverall = new RateLimit(ISSUANCE_LIMITS.linesOverall, 1, clock);
  }

  /** Handlers for one connection. */
  readonly serve = (connection: RpcConnection<SpiffePeer>): RpcService =>
    serve<IssuanceHandlers>(ISSUANCE, {
      Issue: connection.unary<IssueRequest__Output, IssueResponse>((request, call) =>
        this.#observed('issue', connection, (known) => this.#issue(request, connection, call, known)),
      ),
      Renew: connection.unary<RenewRequest__Output, IssueResponse>((request) =>
        this.#observed('renew', connection, (known) => this.#renew(request, connection, known)),
      ),
    });

  /** By token. */
  async #issue(
    { certificateRequest, token }: IssueRequest__Output,
    { remoteAddress }: RpcConnection<SpiffePeer>,
    { signal }: UnaryCall,
    known: Known,
  ): Promise<Answer> {
    const { attestor, clock } = this.#config;
    // Before Kubernetes is asked anything.
    if (!this.#perAddress.take(remoteAddress)) return refuseIssuance('too-many-requests', remoteAddress);
    const request = parseIssuableRequest(certificateRequest);
    if (!request.ok) return err(authorityRefusal(request.error));
    if (token.length > ISSUANCE_LIMITS.tokenCharacters) {
      return refuseIssuance('token-malformed', `it has ${token.length} characters`);
    }
    const attested = await attestor.attest(token, remoteAddress, signal);
    if (!attested.ok) return attested;
    const { identity, pod, run } = attested.value;
    known.pod = pod;
    const barred = this.#barred({ spiffeId: identity, pod, serial: undefined });
    if (barred !== undefined) return barred;
    const key = sha256(request.value.publicKey.spki);
    // Before the token is spent on it.
    const another = namesAnother(request.value, identity);
    if (another !== undefined) return err(authorityRefusal(another));
    const unbound = await this.#bound({ ...attested.value.token, key, run }, pod);
    if (unbound !== undefined) return unbound;
    const attestedAt = clock.now();
    return this.#sign(request.value, identity, { method: 'token', attestedAt, pod, remoteAddress });
  }

  /** By the certificate of the connection, which the engine verified and which is still valid: it ends with it. */
  async #renew(
    { certificateRequest }: RenewRequest__Output,
    { peer, remoteAddress }: RpcConnection<SpiffePeer>,
    known: Known,
  ): Promise<Answer> {
    const { attestor, clock } = this.#config;
    if (peer === undefined || peer.notAfter < clock.now())
      return refuseIssuance('certificate-missing', remoteAddress);
    const { pod, serial, spiffeId } = peer;
    if (pod === undefined) return refuseIssuance('certificate-names-no-pod', `serial ${serial}`);
    known.pod = pod;
    const attestedAt = attestedAtOf(peer);
    if (clock.now() - attestedAt > ISSUANCE_LIMITS.attestationMilliseconds) {
      return refuseIssuance('attestation-too-old', `at ${new Date(attestedAt).toISOString()}`);
    }
    const barred = this.#barred({ spiffeId, pod, serial });
    if (barred !== undefined) return barred;
    const there = attestor.confirm(pod, remoteAddress);
    if (!there.ok) return there;
    const request = parseIssuableRequest(certificateRequest);
    if (!request.ok) return err(authorityRefusal(request.error));
    if (sha256(request.value.publicKey.spki) === sha256(peer.publicKey)) {
      return refuseIssuance('key-not-fresh', `serial ${serial}`);
    }
    const attestation = {
      method: 'certificate',
      attestedAt,
      pod,
      remoteAddress,
      previousSerial: serial,
    } as const;
    return this.#sign(request.value, spiffeId, attestation);
  }

  /** Why the token doesn't serve the key; undefined: it does. */
  async #bound(
    use: TokenUse,
    { podName, podUid }: PodIdentity,
  ): Promise<Result<never, RpcRefusal> | undefined> {
    const what = `token ${use.id} of pod ${podName}`;
    if (this.#tokenKeys.asks(use) && !this.#tokensPerPod.take(podUid)) {
      return refuseIssuance('too-many-requests', `new tokens of pod ${podName}`);
    }
    try {
      const serves = await this.#tokenKeys.bind(use);
      return serves ? undefined : refuseIssuance('token-used-with-another-key', what);
    } catch (error) {
      // What isn't known may be another's.
      const why = error instanceof Error ? error.message : String(error);
      return refuseIssuance('attestation-unavailable', `${what}: ${why}`);
    }
  }

  /** What holds for both ways, once it is known who asks. */
  #barred(holder: Holder & { readonly pod: PodIdentity }): Result<never, RpcRefusal> | undefined {
    const revoked = refuseRevoked(this.#config.revocations.value, holder);
    if (revoked !== undefined) return revoked;
    const { podUid, podName } = holder.pod;
    if (!this.#perPod.take(podUid)) return refuseIssuance('too-many-requests', `pod ${podName}`);
    if (!this.#overall.take('')) return refuseIssuance('too-many-requests', 'of all pods together');
    return undefined;
  }

  async #sign(request: IssuableRequest, identity: SpiffeId, attestation: Attestation): Promise<Answer> {
    const issued = await this.#config.authority.issueFor(request, identity, attestation);
    if (!issued.ok) return err(authorityRefusal(issued.error));
    return ok({ chain: [...issued.value.chain], authorityTime: this.#config.clock.now() });
  }

  async #observed(
    method: IssuanceOutcome['method'],
    connection: RpcConnection<SpiffePeer>,
    answer: (known: Known) => Promise<Answer>,
  ): Promise<Answer> {
    const { clock, onOutcome } = this.#config;
    const start = clock.monotonic();
    const known: Known = { pod: undefined };
    const result = await answer(known);
    const refusal = result.ok ? undefined : result.error;
    if (refusal !== undefined) this.#tell(method, connection, refusal);
    onOutcome?.({ method, refusal, milliseconds: clock.monotonic() - start, pod: known.pod });
    return result;
  }

  /** Who asks again and again gets an answer each time, and a line in the log now and then. */
  #tell(
    method: IssuanceOutcome['method'],
    { peer, remoteAddress }: RpcConnection<SpiffePeer>,
    { reason, detail }: Refusal,
  ): void {
    if (!this.#lines.take(remoteAddress) || !this.#linesOverall.take('')) {
      this.#unlogged += 1;
      return;
    }
    this.#config.log.warn('a certificate was refused', {
      method,
      reason: reason.code,
      detail: printable(detail, ISSUANCE_LIMITS.detailCharacters),
      next: reason.next,
      remoteAddress,
      ...(peer === undefined ? {} : { peer: peer.identity, serial: peer.serial }),
      ...(this.#unlogged === 0 ? {} : { unlogged: this.#unlogged }),
    });
    this.#unlogged = 0;
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
