import { createTrustBundle, type TrustBundle } from '../bundle.ts';
import { checkBasicConstraints } from '../path/basic-constraints.ts';
import { namesIssuer } from '../path/issuer.ts';
import { checkIssuerKeyUsage } from '../path/key-usage.ts';
import { checkSignature } from '../path/signature.ts';
import { type Audit, auditRecord } from './audit.ts';
import { type AuthorityConfig, AuthorityError } from './config.ts';
import { makeSlot, type Slot } from './slot.ts';
import type { StateStore } from './state-store.ts';
import { intermediateTemplate, rootTemplate } from './template.ts';

/** The keys in force: the root signs intermediates, `current` signs leaves, `next` waits. */
export interface Authorities {
  readonly root: Slot;
  readonly current: Slot;
  readonly next: Slot | undefined;
}

/** Makes the first root and intermediate; a creation that was interrupted is begun again, as nothing was issued. */
export async function createAuthorities(
  store: StateStore,
  config: AuthorityConfig,
  audit: Audit,
  now: number,
): Promise<Authorities> {
  const root = await makeSlot((publicKey) => rootTemplate(config, publicKey, now), undefined);
  await audit(auditRecord('root', root.certificate.subject.text, root.certificate, root.certificate, now));
  const current = await makeIntermediate(config, root, audit, now);
  const files = { ...(await store.write('root', root)), ...(await store.write('intermediate', current)) };
  const serials = { root: root.certificate.serial, current: current.certificate.serial };
  const outcome = await store.commit({ phase: 'ready', ...serials, files });
  // Nothing was signed with ours but what nobody got.
  return outcome === 'committed' ? { root, current, next: undefined } : loadAuthorities(store, config);
}

export async function makeIntermediate(
  config: AuthorityConfig,
  root: Slot,
  audit: Audit,
  now: number,
): Promise<Slot> {
  const made = await makeSlot(
    (publicKey) => intermediateTemplate(config, publicKey, root.certificate, now),
    root,
  );
  await audit(
    auditRecord('intermediate', made.certificate.subject.text, made.certificate, root.certificate, now),
  );
  return made;
}

/** Reads what the state names and checks that it belongs together: the root is one, and signed the intermediates. */
export async function loadAuthorities(store: StateStore, config: AuthorityConfig): Promise<Authorities> {
  const { root: rootSerial, current: currentSerial, next: nextSerial } = store.state;
  if (rootSerial === null || currentSerial === null)
    throw new AuthorityError('the state names no root or intermediate');
  const root = await store.read('root', rootSerial);
  const current = await store.read('intermediate', currentSerial);
  const next = nextSerial === null ? undefined : await store.read('intermediate', nextSerial);
  for (const slot of [root, current, ...(next === undefined ? [] : [next])])
    checkLoaded(slot, root, config, store.place);
  return { root, current, next };
}

export function bundleOf(config: AuthorityConfig, root: Slot): TrustBundle {
  const bundle = createTrustBundle(config.trustDomain, [root.certificate.der]);
  if (!bundle.ok) throw new AuthorityError(`the root cannot be trusted: ${bundle.error.join('; ')}`);
  return bundle.value;
}

function checkLoaded(
  { certificate }: Slot,
  { certificate: root }: Slot,
  config: AuthorityConfig,
  place: string,
): void {
  const problem =
    checkSignature(certificate, root) ??
    checkBasicConstraints(certificate) ??
    checkIssuerKeyUsage(certificate);
  const permitted = certificate.extensions.nameConstraints?.permitted ?? [];
  const elsewhere = permitted.some((name) => name.type !== 'uri' || name.text !== config.trustDomain);
  if (problem === undefined && namesIssuer(certificate, root) && !elsewhere) return;
  throw new AuthorityError(
    `the certificate with serial ${certificate.serial} in ${place} is not one of this authority: ` +
      (problem?.detail ?? 'it names another issuer or trust domain'),
  );
}
