import type { Secret } from '../crypto/secret.ts';
import { MAX_KEY_UPDATES } from '../limits.ts';
import { encodeKeyUpdate, type KeyUpdate } from '../messages/key-update.ts';
import type { Port } from '../port.ts';
import { fail } from '../reasons.ts';
import type { Suite } from '../suites.ts';
import { Deriver } from './key-schedule.ts';

/** The traffic secrets of both directions, and how they move on (RFC 8446 4.6.3 and 7.2). */
export class TrafficKeys {
  readonly #suite: Suite;
  #read: Secret;
  #write: Secret;
  #answerOwed = false;
  #updatesInARow = 0;

  constructor(suite: Suite, read: Secret, write: Secret) {
    this.#suite = suite;
    this.#read = read;
    this.#write = write;
  }

  receive(update: KeyUpdate, port: Port): void {
    this.#updatesInARow += 1;
    if (this.#updatesInARow > MAX_KEY_UPDATES)
      fail('too-many-key-updates', `more than ${MAX_KEY_UPDATES} in a row`);
    const aligned = port.requireAligned();
    port.emit({ type: 'key-update', direction: 'received' });
    this.#read = this.#next(this.#read, port);
    port.changeReadKeys(this.#suite, this.#read, aligned);
    // RFC 8446 4.6.3: the answer goes out "prior to sending its next application data record"; several requests
    // that come before that need one answer only.
    if (update.updateRequested) this.#answerOwed = true;
  }

  /** Application data came: what preceded it was no flood. */
  sawData(): void {
    this.#updatesInARow = 0;
  }

  /** Sends the KeyUpdate that was asked for, if one is owed. Call before application data is sealed. */
  answer(port: Port): void {
    if (!this.#answerOwed) return;
    this.#answerOwed = false;
    this.update(false, port);
  }

  /** Changes our write keys; asks the peer to change its own if `request`. */
  update(request: boolean, port: Port): void {
    port.sendAfterHandshake('key_update', encodeKeyUpdate({ updateRequested: request }));
    port.emit({ type: 'key-update', direction: 'sent' });
    this.#write = this.#next(this.#write, port);
    port.changeWriteKeys(this.#suite, this.#write);
  }

  wipe(): void {
    this.#read.wipe();
    this.#write.wipe();
  }

  #next(secret: Secret, port: Port): Secret {
    const next = new Deriver(port.crypto, this.#suite).nextTraffic(secret);
    secret.wipe();
    return next;
  }
}
