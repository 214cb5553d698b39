import type { StateDocument, VersionedText } from '../ca/state-document.ts';

/** A StateDocument in memory with the rules of the Kubernetes API: creation and replacement by compare-and-swap. */
export class SharedDocument {
  #text: string | undefined;
  #version = 0;
  /** Every text that was ever in force. */
  readonly history: string[] = [];

  /** One replica's way to it. `before` and `after` of each call may throw: the replica died then. */
  client(step: (moment: 'before' | 'after') => void | Promise<void> = () => undefined): StateDocument {
    const call = async <T>(act: () => T): Promise<T> => {
      await step('before');
      const answer = act();
      await step('after');
      return answer;
    };
    return {
      place: 'Secret test/sallyport-ca',
      read: () => call(() => this.#current()),
      create: (text) => call(() => (this.#text === undefined ? this.#set(text) : undefined)),
      replace: (text, version) =>
        call(() => (version === String(this.#version) ? this.#set(text) : undefined)),
    };
  }

  /** What an operator, or a fault, would write over it. */
  overwrite(text: string | undefined): void {
    this.#text = text;
    this.#version += 1;
  }

  get text(): string {
    return this.#text ?? '';
  }

  #current(): VersionedText | undefined {
    return this.#text === undefined ? undefined : { text: this.#text, version: String(this.#version) };
  }

  #set(text: string): VersionedText {
    this.#text = text;
    this.#version += 1;
    this.history.push(text);
    return { text, version: String(this.#version) };
  }
}
