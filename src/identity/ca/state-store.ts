import { createPrivateKey } from 'node:crypto';
import { parseCertificate } from '../x509/certificate.ts';
import { decodePem, encodePem } from '../x509/pem.ts';
import { problemText } from '../x509/problem.ts';
import type { AuthorityError } from './config.ts';
import { pairSlot, type Slot } from './slot.ts';
import type { AuthorityState } from './state.ts';

export type Role = 'root' | 'intermediate';

export type StateChange = Partial<Pick<AuthorityState, 'phase' | 'root' | 'current' | 'next' | 'files'>>;

/**
 * Where an authority keeps its certificates, keys and state. A transition writes new slots first and then commits the
 * state that names them: interrupted anywhere, it has happened or it hasn't.
 */
export interface StateStore {
  /** For messages: a folder, or a Secret by its name. */
  readonly place: string;
  readonly state: AuthorityState;
  /** How often others may have moved the state on; undefined where there are no others. */
  readonly refreshMilliseconds: number | undefined;
  /** Keeps certificate and key. They are in force only once `commit` names the files that it answers, with their hashes. */
  write(role: Role, slot: Slot): Promise<Readonly<Record<string, string>>>;
  /** Makes `change` the state in force. `overtaken`: somebody else was faster, `state` is theirs now, nothing was changed. */
  commit(change: StateChange): Promise<'committed' | 'overtaken'>;
  read(role: Role, serial: string): Promise<Slot>;
  /** Reads what others have committed; whether there was anything new. */
  refresh(): Promise<boolean>;
  close(): void;
}

/** The files of a slot, by name. */
export function slotContents(
  role: Role,
  { certificate, privateKey }: Slot,
): Readonly<Record<string, string>> {
  return {
    [keyFile(role, certificate.serial)]: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    [certificateFile(role, certificate.serial)]: encodePem('CERTIFICATE', certificate.der),
  };
}

/** Reads a slot from its files. `damaged` makes the error for a file and what is wrong with it. */
export async function readSlot(
  role: Role,
  serial: string,
  contentsOf: (name: string) => string | Promise<string>,
  damaged: (name: string, why: string) => AuthorityError,
): Promise<Slot> {
  const certificateName = certificateFile(role, serial);
  const keyName = keyFile(role, serial);
  const der = decodePem('CERTIFICATE', await contentsOf(certificateName));
  const certificate = der === undefined ? undefined : parseCertificate(der);
  if (certificate?.ok !== true) {
    throw damaged(
      certificateName,
      certificate === undefined ? 'it is not one PEM certificate' : problemText(certificate.error),
    );
  }
  if (certificate.value.serial !== serial) throw damaged(certificateName, 'its serial is another one');
  const pem = await contentsOf(keyName);
  let slot: Slot | undefined;
  try {
    slot = pairSlot(certificate.value, createPrivateKey(pem));
  } catch {
    // The parser's message may quote the key, so it goes no further.
    throw damaged(keyName, 'it is not a private key');
  }
  if (slot === undefined) throw damaged(keyName, `it is not the key of ${certificateName}`);
  return slot;
}

/** `current` with `change`, one generation on, and of all files those that it names. */
export function nextState(current: AuthorityState, change: StateChange): AuthorityState {
  const merged = { ...current, ...change, generation: current.generation + 1 };
  const serials = [merged.root, merged.current, merged.next];
  const inForce = Object.entries({ ...current.files, ...change.files }).filter(([name]) =>
    serials.some((serial) => serial !== null && name.includes(`-${serial}.`)),
  );
  return { ...merged, files: Object.fromEntries(inForce) };
}

function certificateFile(role: Role, serial: string): string {
  return `${role}-${serial}.certificate.pem`;
}

function keyFile(role: Role, serial: string): string {
  return `${role}-${serial}.key.pem`;
}
