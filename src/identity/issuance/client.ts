import { createHash, generateKeyPairSync } from 'node:crypto';
import type { ClientConfig, Refusal } from '#handshake';
import { ISSUANCE, type IssueResponse__Output, RpcChannel, type RpcFailure, type RpcTarget } from '#rpc';
import { type Clock, err, ok, type ReadableWatch, type Result, Watch } from '#runtime';
import type { TrustBundle } from '../bundle.ts';
import type { IssuedCertificate } from '../issued-certificate.ts';
import { IDENTITY_REASONS } from '../reasons.ts';
import type { SpiffeId } from '../spiffe-id.ts';
import { spiffeVerifier } from '../verifier.ts';
import type { WorkloadCredential } from '../workload/credentials.ts';
import type { IssuanceClient, KeyPair } from '../workload/issuance.ts';
import { parseCertificate } from '../x509/certificate.ts';
import { problemText } from '../x509/problem.ts';
import { ISSUANCE_LIMITS } from './limits.ts';
import { ISSUANCE_REASONS } from './reasons.ts';

export interface RemoteIssuanceConfig {
  readonly target: RpcTarget;
  /** Whom the controller must prove to be, under the mounted bundle. */
  readonly controller: SpiffeId;
  readonly bundle: ReadableWatch<TrustBundle>;
  /** Reads the projected token, each time anew. The error says what is wrong with the file. */
  readonly readToken: () => Promise<Result<string, string>>;
  /** What the agent has; undefined until the first certificate, and after the last has ended. */
  readonly current: () => WorkloadCredential | undefined;
  readonly crypto: ClientConfig['crypto'];
  readonly clock: Clock;
}

/**
 * Certificates from the controller: by token first, and once a day; by the current certificate otherwise. A token serves
 * one key, so the key that went with it is kept in memory for as long as the token is the same.
 */
export class RemoteIssuance implements IssuanceClient {
  readonly #config: RemoteIssuanceConfig;
  readonly #clockOffset = new Watch<number | undefined>(undefined);
  /** When the controller last took a token of ours. */
  #attestedAt = Number.NEGATIVE_INFINITY;
  #tokenKeys: { readonly token: string; readonly keys: KeyPair } | undefined;
  /** What `chooseKeys` chose for the request that follows. */
  #byToken: Result<string, string> | undefined;
  #certificateRefused = false;

  constructor(config: RemoteIssuanceConfig) {
    this.#config = config;
  }

  /** How far the controller's clock is ahead of ours, milliseconds, as of the last answer. */
  get clockOffset(): ReadableWatch<number | undefined> {
    return this.#clockOffset;
  }

  async chooseKeys(): Promise<KeyPair> {
    this.#byToken = this.#mayRenew() ? undefined : await this.#config.readToken();
    if (this.#byToken?.ok !== true) return freshKeys();
    const token = createHash('sha256').update(this.#byToken.value).digest('hex');
    if (this.#tokenKeys?.token !== token) this.#tokenKeys = { token, keys: freshKeys() };
    return this.#tokenKeys.keys;
  }

  async issue(csr: Uint8Array, signal: AbortSignal): Promise<Result<IssuedCertificate, Refusal>> {
    const byToken = this.#byToken;
    if (byToken?.ok === false)
      return err({ reason: ISSUANCE_REASONS['token-malformed'], detail: byToken.error });
    const { clock } = this.#config;
    const channel = new RpcChannel({
      target: this.#config.target,
      tls: () => this.#tls(byToken === undefined),
      clock,
    });
    const sentAt = clock.now();
    const options = { timeoutMilliseconds: CALL_MILLISECONDS, signal };
    const certificateRequest = Buffer.from(csr);
    try {
      const answer =
        byToken === undefined
          ? await channel.unary(ISSUANCE.Renew, { certificateRequest }, options)
          : await channel.unary(ISSUANCE.Issue, { certificateRequest, token: byToken.value }, options);
      if (!answer.ok) return this.#refused(answer.error, byToken === undefined);
      this.#certificateRefused = false;
      if (byToken !== undefined) this.#attestedAt = sentAt;
      this.#clockOffset.set(answer.value.authorityTime - (sentAt + clock.now()) / 2);
      return readAnswer(answer.value);
    } finally {
      channel.close();
    }
  }

  /** Goes back to the token in good time, so that no renewal has to be refused for the age of the last one. */
  #mayRenew(): boolean {
    const { clock, current } = this.#config;
    const now = clock.now();
    const age = now - this.#attestedAt;
    return (
      // One that has just ended may still be there for a moment.
      (current()?.notAfter ?? Number.NEGATIVE_INFINITY) > now &&
      !this.#certificateRefused &&
      age < ISSUANCE_LIMITS.attestationMilliseconds * TOKEN_AFTER
    );
  }

  #tls(byCertificate: boolean): Omit<ClientConfig, 'alpn'> {
    const { bundle, clock, controller, crypto, current } = this.#config;
    const credential = byCertificate ? current()?.credential : undefined;
    const verifier = spiffeVerifier({
      bundle,
      clock,
      accept: (id) => id.toString() === controller.toString(),
      acceptText: `the controller, ${controller.toString()}`,
    });
    return { crypto, verifier, ...(credential === undefined ? {} : { credential }) };
  }

  #refused(failure: RpcFailure, byCertificate: boolean): Result<never, Refusal> {
    // Of whatever kind it is, the token is the other way. An unreachable controller says nothing about the certificate.
    if (byCertificate && failure.reason.blame !== 'network') this.#certificateRefused = true;
    const code = failure.remoteCode ?? '';
    const known: Readonly<Record<string, Refusal['reason']>> = { ...IDENTITY_REASONS, ...ISSUANCE_REASONS };
    const reason = Object.hasOwn(known, code) ? known[code] : undefined;
    if (reason !== undefined) return err({ reason, detail: failure.detail });
    return err({ reason: failure.reason, detail: [code, failure.detail].filter(Boolean).join(': ') });
  }
}

/** Longer than the controller waits for a new pod's address. */
const CALL_MILLISECONDS = 20_000;
/** Share of the time that an attestation holds after which the token is used again. */
const TOKEN_AFTER = 0.8;

function freshKeys(): KeyPair {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function readAnswer({ chain }: IssueResponse__Output): Result<IssuedCertificate, Refusal> {
  const [leaf] = chain;
  const parsed = leaf === undefined ? undefined : parseCertificate(leaf);
  if (parsed?.ok !== true) {
    const detail = parsed === undefined ? 'the answer has no certificate' : problemText(parsed.error);
    return err({ reason: IDENTITY_REASONS['malformed-certificate'], detail });
  }
  const { serial, notBefore, notAfter } = parsed.value;
  return ok({ chain, serial, notBefore, notAfter });
}
