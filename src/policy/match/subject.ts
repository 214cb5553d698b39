import { serviceAccountOf } from '#identity';
import type { ConnectionFacts } from '../decision.ts';
import { type Address, parseAddress } from './address.ts';

/** One connection as conditions see it: what must be parsed is parsed at most once, and only when a condition asks. */
export class Subject {
  readonly facts: ConnectionFacts;
  #account: { readonly namespace: string; readonly serviceAccount: string } | undefined;
  #accountParsed = false;
  #address: Address | undefined;
  #addressParsed = false;

  constructor(facts: ConnectionFacts) {
    this.facts = facts;
  }

  /** Namespace and service account that the identity names; undefined for an identity of another shape, or none. */
  get account(): { readonly namespace: string; readonly serviceAccount: string } | undefined {
    if (!this.#accountParsed) {
      this.#account = this.facts.peer === undefined ? undefined : serviceAccountOf(this.facts.peer);
      this.#accountParsed = true;
    }
    return this.#account;
  }

  /** Undefined: the text is no IP address, so nothing is known of where the peer is. */
  get address(): Address | undefined {
    if (!this.#addressParsed) {
      this.#address = parseAddress(this.facts.address);
      this.#addressParsed = true;
    }
    return this.#address;
  }
}
