import type { Refusal } from '#handshake';
import {
  type Clock,
  err,
  type Log,
  ok,
  type ReadableWatch,
  type Result,
  type Scope,
  sleep,
  Watch,
} from '#runtime';
import type { TrustBundle } from '../bundle.ts';
import type { IssuedCertificate } from '../issued-certificate.ts';
import { IDENTITY_REASONS } from '../reasons.ts';
import type { SpiffeId } from '../spiffe-id.ts';
import { type Audit, auditRecord, auditToLog } from './audit.ts';
import {
  type Authorities,
  bundleOf,
  createAuthorities,
  loadAuthorities,
  makeIntermediate,
} from './authorities.ts';
import {
  type AuthorityConfig,
  AuthorityError,
  type AuthorityOptions,
  parseAuthorityConfig,
} from './config.ts';
import { inspectLeaf } from './inspect.ts';
import { DocumentStore } from './document-store.ts';
import { type IssuableRequest, namesAnother, parseIssuableRequest } from './request.ts';
import { retryDelay } from './retry-delay.ts';
import { rotationPlan, type Validity } from './schedule.ts';
import { signLeaf } from './sign-leaf.ts';
import type { Slot } from './slot.ts';
import type { StateChange, StateStore } from './state-store.ts';
import { FolderStore } from './store.ts';
import { type Attestation, type LeafBounds, type LeafNames, leafTemplate } from './template.ts';

/** Which CA certificate, and how long. Times are milliseconds since the Unix epoch. */
export interface AuthorityCertificate extends Validity {
  readonly serial: string;
}

/** Timers stand still while a machine sleeps, so the wall clock is asked at least this often. */
const LONGEST_WAIT_MILLISECONDS = 10 * 60_000;
const SHORTEST_WAIT_MILLISECONDS = 1000;
const ALWAYS = new Watch(true);

/**
 * The certificate authority of one trust domain: a root (10 years), an intermediate that signs leaves and is replaced
 * on schedule, both in a folder that this process alone may use, or in a document that several processes share. Leaves stay valid across a rotation, as their chain
 * carries the intermediate that signed them.
 */
export class CertificateAuthority {
  readonly #config: AuthorityConfig;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #audit: Audit;
  readonly #store: StateStore;
  readonly #bundle: Watch<TrustBundle>;
  readonly #rootWatch: Watch<AuthorityCertificate>;
  readonly #intermediateWatch: Watch<AuthorityCertificate>;
  #authorities: Authorities;
  /** The last transition: each waits for the one before it. */
  #transition: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(parts: {
    readonly config: AuthorityConfig;
    readonly options: AuthorityOptions;
    readonly audit: Audit;
    readonly store: StateStore;
    readonly authorities: Authorities;
  }) {
    this.#config = parts.config;
    this.#clock = parts.options.clock;
    this.#log = parts.options.log;
    this.#audit = parts.audit;
    this.#store = parts.store;
    this.#authorities = parts.authorities;
    this.#bundle = new Watch(bundleOf(parts.config, parts.authorities.root));
    this.#rootWatch = new Watch(summary(parts.authorities.root));
    this.#intermediateWatch = new Watch(summary(parts.authorities.current));
  }

  /** Opens the authority in its folder, or makes a new one in an empty folder. Rejects with an AuthorityError. */
  static async open(options: AuthorityOptions): Promise<CertificateAuthority> {
    const config = parseAuthorityConfig(options);
    const { clock, log } = options;
    const audit = options.audit ?? auditToLog(log);
    const store = await openStore(options);
    try {
      const authorities =
        store.state.phase === 'creating'
          ? await createAuthorities(store, config, audit, clock.now())
          : await loadAuthorities(store, config);
      refuseEndedRoot(authorities.root, store, clock.now());
      const authority = new CertificateAuthority({ config, options, audit, store, authorities });
      // After a long stop the intermediate may be due, or have ended: no leaf is issued before that is put right.
      await authority.#followPlan();
      return authority;
    } catch (error) {
      store.close();
      throw error;
    }
  }

  get bundle(): ReadableWatch<TrustBundle> {
    return this.#bundle;
  }

  get root(): ReadableWatch<AuthorityCertificate> {
    return this.#rootWatch;
  }

  get intermediate(): ReadableWatch<AuthorityCertificate> {
    return this.#intermediateWatch;
  }

  /**
   * Issues a leaf for `identity`, which the caller has attested, over the key of the request (PKCS #10, DER). A
   * request for another name is refused; what else it asks for is ignored. Before it is handed out, the certificate is read back, verified as peers
   * would in both roles, and recorded.
   */
  async issue(
    csr: Uint8Array,
    identity: SpiffeId,
    dnsNames: readonly string[] = [],
  ): Promise<Result<IssuedCertificate, Refusal>> {
    const request = parseIssuableRequest(csr);
    return request.ok ? this.#issue(request.value, { identity, dnsNames }, undefined) : request;
  }

  /** The same for a request that was read and proved already, and for what was attested of the workload's pod. */
  issueFor(
    request: IssuableRequest,
    identity: SpiffeId,
    attestation: Attestation | undefined,
    bounds?: LeafBounds,
  ): Promise<Result<IssuedCertificate, Refusal>> {
    return this.#issue(request, { identity }, attestation, bounds);
  }

  async #issue(
    request: IssuableRequest,
    names: LeafNames,
    attestation: Attestation | undefined,
    bounds?: LeafBounds,
  ): Promise<Result<IssuedCertificate, Refusal>> {
    const { identity } = names;
    const config = this.#config;
    if (this.#closed) return refuse('authority-closed', this.#store.place);
    if (identity.trustDomain !== config.trustDomain || identity.path === '') {
      return refuse('identity-not-ours', `${identity.toString()} in trust domain "${config.trustDomain}"`);
    }
    const another = namesAnother(request, identity);
    if (another !== undefined) return err(another);
    const now = this.#clock.now();
    const issuer = this.#authorities.current;
    const template = leafTemplate(config, request, names, attestation, issuer.certificate, now, bounds);
    if (!template.ok) return template;
    const der = signLeaf(template.value, issuer);
    const chain = [der, issuer.certificate.der];
    const leaf = inspectLeaf(chain, template.value, issuer.certificate, this.#bundle.value, now);
    if (!leaf.ok) return leaf;
    try {
      await this.#audit(
        auditRecord('leaf', identity.toString(), leaf.value, issuer.certificate, now, attestation),
      );
    } catch (error) {
      return refuse('audit-failed', error instanceof Error ? error.message : String(error));
    }
    const { serial, notBefore, notAfter } = leaf.value;
    return ok({ chain, serial, notBefore, notAfter });
  }

  /** Replaces the intermediate now. Leaves of the one before stay valid until they end. */
  rotateIntermediate(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#refresh();
      // Who was overtaken has what another replica made instead: that is a rotation too.
      if (this.#authorities.next === undefined && (await this.#prepare()) === 'overtaken') return;
      await this.#activate();
    });
  }

  /**
   * Rotates by schedule until the scope ends; then closes. While `leads` is false it only takes over what others have
   * rotated. That keeps replicas from doing the same work; two that believe they lead do no harm (document-store.ts).
   */
  run(scope: Scope, leads: ReadableWatch<boolean> = ALWAYS): void {
    const longest = Math.min(LONGEST_WAIT_MILLISECONDS, this.#store.refreshMilliseconds ?? Infinity);
    scope.defer(() => this.close());
    scope.run(async (signal) => {
      while (!signal.aborted) {
        const wait = await (leads.value ? this.#followPlan() : this.#follow()).catch((error: unknown) => {
          this.#log.error('the intermediate could not be rotated; it stays in use and this is tried again', {
            error: error instanceof Error ? error.message : String(error),
            notAfter: new Date(this.#intermediateWatch.value.notAfter).toISOString(),
          });
          return retryDelay(this.#intermediateWatch.value.notAfter - this.#clock.now());
        });
        const bounded = Math.min(Math.max(wait, SHORTEST_WAIT_MILLISECONDS), longest);
        await sleep(this.#clock, bounded, signal);
      }
    });
  }

  /** Issues nothing more and frees the folder. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#transition.catch(() => undefined);
    this.#store.close();
  }

  /** Does what is due. Resolves with the milliseconds until something may be due again. */
  async #followPlan(): Promise<number> {
    let wait = 0;
    await this.#inTurn(async () => {
      await this.#refresh();
      for (;;) {
        const { root, current, next } = this.#authorities;
        const now = this.#clock.now();
        const plan = rotationPlan(current.certificate, next?.certificate, root.certificate.notAfter, now);
        if (plan.action === 'prepare') await this.#prepare();
        else if (plan.action === 'activate') await this.#activate();
        else {
          wait = plan.at - now;
          return;
        }
      }
    });
    return wait;
  }

  /** Takes over what others have committed. */
  async #follow(): Promise<number> {
    await this.#inTurn(() => this.#refresh());
    return LONGEST_WAIT_MILLISECONDS;
  }

  async #refresh(): Promise<void> {
    if (await this.#store.refresh()) await this.#takeOver();
  }

  async #takeOver(): Promise<void> {
    const loaded = await loadAuthorities(this.#store, this.#config);
    const { root } = this.#authorities;
    if (loaded.root.certificate.serial !== root.certificate.serial) {
      throw new AuthorityError(
        `${this.#store.place} has another root (serial ${loaded.root.certificate.serial}) than the one this process ` +
          `signs under (${root.certificate.serial}): restart it if that is meant`,
      );
    }
    this.#use(loaded);
  }

  #use(authorities: Authorities): void {
    const before = this.#authorities.current.certificate.serial;
    this.#authorities = authorities;
    const { certificate } = authorities.current;
    if (certificate.serial === before) return;
    this.#intermediateWatch.set(summary(authorities.current));
    this.#log.info('the intermediate was replaced', {
      serial: certificate.serial,
      previousSerial: before,
      notAfter: new Date(certificate.notAfter).toISOString(),
    });
  }

  async #commit(change: StateChange, authorities: Authorities): Promise<'committed' | 'overtaken'> {
    const outcome = await this.#store.commit(change);
    if (outcome === 'committed') this.#use(authorities);
    else await this.#takeOver();
    return outcome;
  }

  async #prepare(): Promise<'committed' | 'overtaken'> {
    const { root, current } = this.#authorities;
    const next = await makeIntermediate(this.#config, root, this.#audit, this.#clock.now());
    const files = await this.#store.write('intermediate', next);
    const outcome = await this.#commit({ next: next.certificate.serial, files }, { root, current, next });
    if (outcome === 'committed') {
      this.#log.info('the next intermediate is prepared', { serial: next.certificate.serial });
    }
    return outcome;
  }

  async #activate(): Promise<void> {
    const { root, next } = this.#authorities;
    if (next === undefined) throw new AuthorityError('there is no next intermediate to activate');
    const change = { current: next.certificate.serial, next: null };
    await this.#commit(change, { root, current: next, next: undefined });
  }

  /** One transition at a time; none after closing. A failed one doesn't stop the next. */
  #inTurn(transition: () => Promise<void>): Promise<void> {
    const turn = this.#transition
      .catch(() => undefined)
      .then(() => {
        if (this.#closed) throw new AuthorityError('the authority is closed');
        return transition();
      });
    this.#transition = turn;
    return turn;
  }
}

function refuse(
  code: 'authority-closed' | 'identity-not-ours' | 'audit-failed',
  detail: string,
): Result<never, Refusal> {
  return err({ reason: IDENTITY_REASONS[code], detail });
}

/** The configuration has been parsed: one of the two is there. */
function openStore({
  directory = '',
  document,
  trustDomain,
  clock,
  log,
}: AuthorityOptions): Promise<StateStore> {
  return document === undefined
    ? FolderStore.open(directory, trustDomain, clock.now(), log)
    : DocumentStore.open(document, trustDomain, log);
}

function summary({ certificate }: Slot): AuthorityCertificate {
  const { serial, notBefore, notAfter } = certificate;
  return Object.freeze({ serial, notBefore, notAfter });
}

function refuseEndedRoot({ certificate }: Slot, { place }: StateStore, now: number): void {
  if (now >= certificate.notBefore && now <= certificate.notAfter) return;
  const from = new Date(certificate.notBefore).toISOString();
  const to = new Date(certificate.notAfter).toISOString();
  throw new AuthorityError(
    `the root in ${place} is valid from ${from} to ${to}, and it is ${new Date(now).toISOString()}: ` +
      'correct the clock of this machine, or move the state away to start a new authority with a new root',
  );
}
