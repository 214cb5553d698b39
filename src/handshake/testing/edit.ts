import { concat } from '#runtime';
import { EXTENSIONS, type ExtensionName } from '../extensions/placement.ts';
import { HANDSHAKE_TYPES } from '../messages/names.ts';
import { Reader } from '../wire/reader.ts';
import { numbers16, u8, u16, vector8, vector16 } from '../wire/writer.ts';
import { handshakeMessage } from './wire.ts';

/** The extensions of a message in their order, open to every mistake. */
export class EditableExtensions {
  readonly list: { id: number; body: Uint8Array }[] = [];

  constructor(encoded: Uint8Array) {
    const reader = new Reader(encoded, 'test');
    while (reader.left > 0) this.list.push({ id: reader.u16(), body: reader.vector16(0).slice() });
  }

  body(name: ExtensionName): Uint8Array {
    return this.list.find(({ id }) => id === EXTENSIONS[name].id)!.body;
  }

  set(name: ExtensionName, body: Uint8Array): void {
    this.list.find(({ id }) => id === EXTENSIONS[name].id)!.body = body;
  }

  add(which: ExtensionName | number, body: Uint8Array): void {
    this.list.push({ id: typeof which === 'number' ? which : EXTENSIONS[which].id, body });
  }

  remove(name: ExtensionName): void {
    const at = this.list.findIndex(({ id }) => id === EXTENSIONS[name].id);
    this.list.splice(at, 1);
  }

  encode(): Uint8Array {
    return vector16(...this.list.map(({ id, body }) => concat(u16(id), vector16(body))));
  }
}

export interface EditableClientHello {
  legacyVersion: number;
  random: Uint8Array;
  sessionId: Uint8Array;
  suites: number[];
  compressionMethods: Uint8Array;
  extensions: EditableExtensions;
}

/** A change of a ClientHello message (header included), for `tamperWith`. */
export function editClientHello(
  change: (hello: EditableClientHello) => void,
): (message: Uint8Array) => readonly Uint8Array[] {
  return (message) => {
    const reader = new Reader(message.subarray(4), 'test');
    const hello: EditableClientHello = {
      legacyVersion: reader.u16(),
      random: reader.bytes(32).slice(),
      sessionId: reader.vector8(0).slice(),
      suites: reader.numbers16(),
      compressionMethods: reader.vector8(0).slice(),
      extensions: new EditableExtensions(reader.vector16(0)),
    };
    change(hello);
    const body = concat(
      u16(hello.legacyVersion),
      hello.random,
      vector8(hello.sessionId),
      numbers16(hello.suites),
      vector8(hello.compressionMethods),
      hello.extensions.encode(),
    );
    return [handshakeMessage(HANDSHAKE_TYPES.client_hello, body)];
  };
}

export interface EditableServerHello {
  legacyVersion: number;
  random: Uint8Array;
  sessionId: Uint8Array;
  suite: number;
  compressionMethod: number;
  extensions: EditableExtensions;
}

/** Likewise for a ServerHello or HelloRetryRequest. */
export function editServerHello(
  change: (hello: EditableServerHello) => void,
): (message: Uint8Array) => readonly Uint8Array[] {
  return (message) => {
    const reader = new Reader(message.subarray(4), 'test');
    const hello: EditableServerHello = {
      legacyVersion: reader.u16(),
      random: reader.bytes(32).slice(),
      sessionId: reader.vector8(0).slice(),
      suite: reader.u16(),
      compressionMethod: reader.u8(),
      extensions: new EditableExtensions(reader.vector16(0)),
    };
    change(hello);
    const body = concat(
      u16(hello.legacyVersion),
      hello.random,
      vector8(hello.sessionId),
      u16(hello.suite),
      u8(hello.compressionMethod),
      hello.extensions.encode(),
    );
    return [handshakeMessage(HANDSHAKE_TYPES.server_hello, body)];
  };
}

/** Likewise for EncryptedExtensions. */
export function editEncryptedExtensions(
  change: (extensions: EditableExtensions) => void,
): (message: Uint8Array) => readonly Uint8Array[] {
  return (message) => {
    const extensions = new EditableExtensions(new Reader(message.subarray(4), 'test').vector16(0));
    change(extensions);
    return [handshakeMessage(HANDSHAKE_TYPES.encrypted_extensions, extensions.encode())];
  };
}
