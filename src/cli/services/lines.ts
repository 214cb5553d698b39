import { StringDecoder } from 'node:string_decoder';

/** A child that writes without newlines must not fill our memory. */
const LONGEST_LINE = 8_192;

/** Cuts a stream of bytes into lines, whatever the chunks; lines beyond 8192 characters are cut in pieces. */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  readonly #take: (line: string) => void;
  #rest = '';

  constructor(take: (line: string) => void) {
    this.#take = take;
  }

  push(bytes: Buffer): void {
    this.#rest += this.#decoder.write(bytes);
    const lines = this.#rest.split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#emit(line.endsWith('\r') ? line.slice(0, -1) : line);
    while (this.#rest.length > LONGEST_LINE) {
      this.#take(this.#rest.slice(0, LONGEST_LINE));
      this.#rest = this.#rest.slice(LONGEST_LINE);
    }
  }

  /** Gives out what came after the last newline. */
  end(): void {
    this.#rest += this.#decoder.end();
    if (this.#rest !== '') this.#emit(this.#rest);
    this.#rest = '';
  }

  #emit(line: string): void {
    for (let at = 0; at === 0 || at < line.length; at += LONGEST_LINE) {
      this.#take(line.slice(at, at + LONGEST_LINE));
    }
  }
}
