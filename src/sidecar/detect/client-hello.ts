/**
 * Looks into the first bytes of a connection without taking part in it: whose ClientHello is this? Only the record and
 * message headers and the ALPN extension are read. Nothing here is trusted: the engine parses the same bytes again,
 * strictly, before anything depends on them.
 */
export type Opening =
  /** So far it may be a ClientHello; the rest has not come. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'not-tls' }
  /** The protocols it offers; empty if it offers none or isn't a ClientHello that we can read. */
  | { readonly kind: 'tls'; readonly alpn: readonly string[] };

const INCOMPLETE: Opening = { kind: 'incomplete' };
const NOT_TLS: Opening = { kind: 'not-tls' };
const UNREADABLE: Opening = { kind: 'tls', alpn: [] };

const HANDSHAKE_RECORD = 0x16;
const MAJOR_VERSION = 0x03;
const RECORD_HEADER = 5;
const CLIENT_HELLO = 1;
const MESSAGE_HEADER = 4;
const ALPN_EXTENSION = 16;

/** Judges bytes that came at once; see ClientHelloPeek. */
export function openingOf(bytes: Uint8Array, longest: number): Opening {
  return new ClientHelloPeek(longest).look(bytes);
}

/**
 * Judges the first bytes of a connection again and again as they grow. It goes on where it stopped, so that a peer which
 * sends them one by one causes no more work than one that sends them at once.
 */
export class ClientHelloPeek {
  readonly #longest: number;
  #message: Buffer = Buffer.alloc(0);
  #length = 0;
  /** How much of the bytes was read, and how much of the record that was begun is still to come. */
  #at = 0;
  #recordLeft = 0;
  #mayGrow = true;

  /** `longest` bounds what is waited for: a longer ClientHello is somebody else's and stays unread. */
  constructor(longest: number) {
    this.#longest = longest;
  }

  /** `bytes` are all that came so far. */
  look(bytes: Uint8Array): Opening {
    if (bytes.length > 0 && bytes[0] !== HANDSHAKE_RECORD) return NOT_TLS;
    if (bytes.length > 1 && bytes[1] !== MAJOR_VERSION) return NOT_TLS;
    this.#join(bytes);
    const message = this.#message.subarray(0, this.#length);
    if (message.length > 0 && message[0] !== CLIENT_HELLO) return UNREADABLE;
    const end = message.length < MESSAGE_HEADER ? undefined : MESSAGE_HEADER + message.readUIntBE(1, 3);
    if (end === undefined || message.length < end) {
      const mayCome = this.#mayGrow && bytes.length < this.#longest && (end ?? 0) <= this.#longest;
      return mayCome ? INCOMPLETE : UNREADABLE;
    }
    const alpn = offeredProtocols(message.subarray(MESSAGE_HEADER, end));
    return alpn === undefined ? UNREADABLE : { kind: 'tls', alpn };
  }

  /** RFC 8446 5.1: a handshake message may span records; their payloads are joined. */
  #join(bytes: Uint8Array): void {
    while (this.#mayGrow && this.#at < bytes.length) {
      if (this.#recordLeft > 0) {
        const payload = bytes.subarray(this.#at, this.#at + this.#recordLeft);
        this.#append(payload);
        this.#at += payload.length;
        this.#recordLeft -= payload.length;
        continue;
      }
      if (bytes.length - this.#at < RECORD_HEADER) return;
      const [type, major, , high = 0, low = 0] = bytes.subarray(this.#at, this.#at + RECORD_HEADER);
      this.#recordLeft = high * 256 + low;
      this.#at += RECORD_HEADER;
      // RFC 8446 5.1: "Implementations MUST NOT send zero-length fragments of Handshake types".
      this.#mayGrow = type === HANDSHAKE_RECORD && major === MAJOR_VERSION && this.#recordLeft > 0;
    }
  }

  #append(payload: Uint8Array): void {
    const length = this.#length + payload.length;
    if (length > this.#message.length) {
      const larger = Buffer.alloc(Math.max(length, 2 * this.#message.length));
      larger.set(this.#message.subarray(0, this.#length));
      this.#message = larger;
    }
    this.#message.set(payload, this.#length);
    this.#length = length;
  }
}

/** RFC 8446 4.1.2, RFC 7301 3.1: the ALPN names in a ClientHello's body; undefined if its lengths don't fit. */
function offeredProtocols(body: Buffer): string[] | undefined {
  const hello = new Cursor(body);
  hello.skip(2 + 32);
  hello.vector(1);
  hello.vector(2);
  hello.vector(1);
  if (hello.atEnd) return hello.fits ? [] : undefined;
  const extensions = new Cursor(hello.vector(2));
  const names: string[] = [];
  while (!extensions.atEnd) {
    const type = extensions.number(2);
    const content = new Cursor(extensions.vector(2));
    if (type !== ALPN_EXTENSION) continue;
    const list = new Cursor(content.vector(2));
    while (!list.atEnd) names.push(list.vector(1).toString('latin1'));
    if (!content.fits || !list.fits) return undefined;
  }
  return hello.fits && extensions.fits ? names : undefined;
}

/** Reads big-endian numbers and length-prefixed vectors; past the end it yields nothing and `fits` turns false. */
class Cursor {
  readonly #bytes: Buffer;
  #at = 0;
  fits = true;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return !this.fits || this.#at >= this.#bytes.length;
  }

  number(width: 1 | 2): number {
    const at = this.#at;
    this.skip(width);
    return this.fits ? this.#bytes.readUIntBE(at, width) : 0;
  }

  vector(lengthWidth: 1 | 2): Buffer {
    const length = this.number(lengthWidth);
    const at = this.#at;
    this.skip(length);
    return this.fits ? this.#bytes.subarray(at, at + length) : Buffer.alloc(0);
  }

  skip(length: number): void {
    this.#at += length;
    if (this.#at > this.#bytes.length) this.fits = false;
  }
}
