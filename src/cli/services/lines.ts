import { StringDecoder } from 'node:string_decoder';

/** A child that writes without newlines must not fill our memory. */
const LONGEST_LINE = 8_192;

/** Cuts a stream of bytes into lines, whatever the chunks; lines beyond `longest` characters are cut in pieces. */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  readonly #take: (line: string) => void;
  readonly #longest: number;
  #rest = '';

  constructor(take: (line: string) => void, longest: number = LONGEST_LINE) {
    this.#take = take;
    this.#longest = longest;
  }

  push(bytes: Buffer): void {
    this.#rest += this.#decoder.write(bytes);
    const lines = this.#rest.split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#emit(line.endsWith('\r') ? line.slice(0, -1) : line);
    while (this.#rest.length > this.#longest) {
      this.#take(this.#rest.slice(0, this.#longest));
      this.#rest = this.#rest.slice(this.#longest);
    }
  }

  /** Gives out what came after the last newline. */
  end(): void {
    this.#rest += this.#decoder.end();
    if (this.#rest !== '') this.#emit(this.#rest);
    this.#rest = '';
  }

  #emit(line: string): void {
    for (let at = 0; at === 0 || at < line.length; at += this.#longest) {
      this.#take(line.slice(at, at + this.#longest));
    }
  }
}
