import { createPrivateKey } from 'node:crypto';
import { join } from 'node:path';
import type { Log } from '#runtime';
import { parseCertificate } from '../x509/certificate.ts';
import { decodePem, encodePem } from '../x509/pem.ts';
import { problemText } from '../x509/problem.ts';
import { AuthorityError } from './config.ts';
import { listFiles, readPrivate, removeFiles, TEMPORARY, writeAtomically } from './files.ts';
import { pairSlot, type Slot } from './slot.ts';
import { type AuthorityState, decodeState, encodeState, sha256, STATE_FILE } from './state.ts';

type Role = 'root' | 'intermediate';

/** Names of files that an authority makes, in force or left by an interrupted transition. */
const OWN_FILE = /^(root|intermediate)-[0-9a-f]+\.(certificate|key)\.pem$/;

const RECOVERY =
  'Restore the folder from a backup, or move it away to start a new authority with a new root ' +
  '(all peers then need its trust bundle)';

/**
 * Certificates, keys and state of an authority in its folder. A transition writes new files first, then replaces
 * state.json, then removes what is no longer in force; interrupted anywhere, it has happened or it hasn't. State that
 * is torn, edited or incomplete is refused, never made anew.
 */
export class AuthorityStore {
  readonly #directory: string;
  readonly #log: Log;
  /** What state.json holds, exactly as written. */
  #text: string;
  #state: AuthorityState;

  private constructor(directory: string, log: Log, text: string, state: AuthorityState) {
    this.#directory = directory;
    this.#log = log;
    this.#text = text;
    this.#state = state;
  }

  /** The folder is prepared and locked. */
  static async open(directory: string, trustDomain: string, log: Log): Promise<AuthorityStore> {
    const path = join(directory, STATE_FILE);
    const text = await readPrivate(path);
    if (text === undefined) return AuthorityStore.#begin(directory, trustDomain, log);
    const state = decodeState(text);
    if (!state.ok) throw new AuthorityError(`${path}: ${state.error}. ${RECOVERY}`);
    if (state.value.trustDomain !== trustDomain) {
      throw new AuthorityError(
        `${path} belongs to trust domain "${state.value.trustDomain}", but the configuration says "${trustDomain}": ` +
          'correct the configuration, or use another folder',
      );
    }
    const store = new AuthorityStore(directory, log, text, state.value);
    await store.#removeLeftovers();
    return store;
  }

  /** Writes ahead that keys are about to be made: if that is interrupted, the next start knows nothing was issued. */
  static async #begin(directory: string, trustDomain: string, log: Log): Promise<AuthorityStore> {
    const [stray] = (await listFiles(directory)).filter((name) => OWN_FILE.test(name));
    if (stray !== undefined) {
      throw new AuthorityError(
        `${join(directory, STATE_FILE)} is missing, but ${stray} is there. ${RECOVERY}`,
      );
    }
    const none = { root: null, current: null, next: null, files: {} };
    const state: AuthorityState = { trustDomain, generation: 0, phase: 'creating', ...none };
    const text = encodeState(state);
    await writeAtomically(directory, STATE_FILE, text);
    return new AuthorityStore(directory, log, text, state);
  }

  get state(): AuthorityState {
    return this.#state;
  }

  /** Puts certificate and key on disk. They are in force only once `commit` names them. */
  async write(role: Role, slot: Slot): Promise<Readonly<Record<string, string>>> {
    const { certificate, privateKey } = slot;
    const files = {
      [keyFile(role, certificate.serial)]: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      [certificateFile(role, certificate.serial)]: encodePem('CERTIFICATE', certificate.der),
    };
    const hashes: Record<string, string> = {};
    for (const [name, contents] of Object.entries(files)) {
      await writeAtomically(this.#directory, name, contents);
      hashes[name] = sha256(contents);
    }
    return hashes;
  }

  /** Makes `change` the state in force, and removes files (old keys above all) that it no longer names. */
  async commit(
    change: Partial<Pick<AuthorityState, 'phase' | 'root' | 'current' | 'next' | 'files'>>,
  ): Promise<void> {
    const path = join(this.#directory, STATE_FILE);
    if ((await readPrivate(path)) !== this.#text) {
      throw new AuthorityError(`${path} was changed while the authority ran. ${RECOVERY}`);
    }
    const merged = { ...this.#state, ...change, generation: this.#state.generation + 1 };
    const serials = [merged.root, merged.current, merged.next];
    const inForce = Object.entries({ ...this.#state.files, ...change.files }).filter(([name]) =>
      serials.some((serial) => serial !== null && name.includes(`-${serial}.`)),
    );
    const state: AuthorityState = { ...merged, files: Object.fromEntries(inForce) };
    const text = encodeState(state);
    await writeAtomically(this.#directory, STATE_FILE, text);
    this.#text = text;
    this.#state = state;
    await this.#removeLeftovers();
  }

  async read(role: Role, serial: string): Promise<Slot> {
    const certificatePath = certificateFile(role, serial);
    const keyPath = keyFile(role, serial);
    const der = decodePem('CERTIFICATE', await this.#readInForce(certificatePath));
    const certificate = der === undefined ? undefined : parseCertificate(der);
    if (certificate?.ok !== true) {
      const why =
        certificate === undefined ? 'it is not one PEM certificate' : problemText(certificate.error);
      throw this.#damaged(certificatePath, why);
    }
    if (certificate.value.serial !== serial)
      throw this.#damaged(certificatePath, 'its serial is another one');
    const pem = await this.#readInForce(keyPath);
    let slot: Slot | undefined;
    try {
      slot = pairSlot(certificate.value, createPrivateKey(pem));
    } catch {
      // The parser's message may quote the key, so it goes no further.
      throw this.#damaged(keyPath, 'it is not a private key');
    }
    if (slot === undefined) throw this.#damaged(keyPath, `it is not the key of ${certificatePath}`);
    return slot;
  }

  async #readInForce(name: string): Promise<string> {
    const contents = await readPrivate(join(this.#directory, name));
    if (contents === undefined) throw this.#damaged(name, 'it is missing');
    if (this.#state.files[name] !== sha256(contents)) {
      throw this.#damaged(name, `its checksum is not the one in ${STATE_FILE}: it was edited or damaged`);
    }
    return contents;
  }

  #damaged(name: string, why: string): AuthorityError {
    return new AuthorityError(`${join(this.#directory, name)}: ${why}. ${RECOVERY}`);
  }

  /** Files of an interrupted or finished transition: no state names them, so nothing was ever issued with them again. */
  async #removeLeftovers(): Promise<void> {
    const names = await listFiles(this.#directory);
    const leftovers = names.filter(
      (name) => (OWN_FILE.test(name) && this.#state.files[name] === undefined) || name.endsWith(TEMPORARY),
    );
    if (leftovers.length === 0) return;
    await removeFiles(this.#directory, leftovers);
    this.#log.info('files that are no longer in force were removed', { files: leftovers });
  }
}

function certificateFile(role: Role, serial: string): string {
  return `${role}-${serial}.certificate.pem`;
}

function keyFile(role: Role, serial: string): string {
  return `${role}-${serial}.key.pem`;
}
