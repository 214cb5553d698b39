import { concat } from '#runtime';
import { MAX_EXTENSIONS } from '../limits.ts';
import { fail } from '../reasons.ts';
import { Reader } from '../wire/reader.ts';
import { u16, vector16 } from '../wire/writer.ts';
import { type Carrier, EXTENSIONS, type ExtensionName, extensionName, isAllowedIn } from './placement.ts';

/** The extensions of one message: bodies by number, each once, each allowed where it stands. */
export class Extensions {
  readonly #bodies: ReadonlyMap<number, Uint8Array>;

  constructor(bodies: ReadonlyMap<number, Uint8Array>) {
    this.#bodies = bodies;
  }

  get(name: ExtensionName): Uint8Array | undefined {
    return this.#bodies.get(EXTENSIONS[name].id);
  }

  /** The numbers in the order of the message. */
  ids(): number[] {
    return [...this.#bodies.keys()];
  }

  body(id: number): Uint8Array | undefined {
    return this.#bodies.get(id);
  }

  /**
   * RFC 8446 4.2: "Implementations MUST NOT send extension responses if the remote endpoint did not send the
   * corresponding extension requests"; the receiver aborts with unsupported_extension.
   */
  requireSolicited(offered: readonly ExtensionName[], carrier: Carrier): void {
    for (const id of this.#bodies.keys()) {
      const name = extensionName(id);
      if (name === undefined || !offered.includes(name)) {
        fail('unsolicited-extension', `${name ?? id} in ${carrier}`);
      }
    }
  }
}

/** `Extension extensions<0..2^16-1>`, to the end of the vector. */
export function decodeExtensions(reader: Reader, carrier: Carrier): Extensions {
  const body = new Reader(reader.vector16(0), `extensions of ${carrier}`);
  const bodies = new Map<number, Uint8Array>();
  while (body.left > 0) {
    const id = body.u16();
    const name = extensionName(id);
    const value = body.vector16(0);
    if (bodies.has(id)) fail('duplicate-extension', `${name ?? id} in ${carrier}`);
    // RFC 8446 4.2: "If an implementation receives an extension which it recognizes and which is not specified for
    // the message in which it appears, it MUST abort the handshake with an illegal_parameter alert."
    if (name !== undefined && !isAllowedIn(name, carrier))
      fail('misplaced-extension', `${name} in ${carrier}`);
    if (bodies.size >= MAX_EXTENSIONS) fail('malformed-message', `more than ${MAX_EXTENSIONS} extensions`);
    bodies.set(id, value);
  }
  return new Extensions(bodies);
}

/** In the order given; entries that are undefined are left out. */
export function encodeExtensions(
  entries: readonly (readonly [ExtensionName, Uint8Array | undefined])[],
): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [name, body] of entries) {
    if (body !== undefined) parts.push(concat(u16(EXTENSIONS[name].id), vector16(body)));
  }
  return vector16(...parts);
}
