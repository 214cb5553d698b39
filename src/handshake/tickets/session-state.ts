import { concat, fromAscii } from '#runtime';
import { TlsError } from '../reason.ts';
import { type SuiteName, SUITES, suiteName } from '../suites.ts';
import { Reader } from '../wire/reader.ts';
import { u8, u16, u32, vector8, vector16, vector24 } from '../wire/writer.ts';

/** What a session demanded of the client; a ticket serves only listeners that demand the same. */
export type Demand = 'nothing' | 'certificate-if-any' | 'certificate';

/**
 * What a server has to remember of a session, sealed into its ticket. Wall-clock times are milliseconds since the Unix
 * epoch. The form serves every version: for TLS 1.2 `secret` is the master secret.
 */
export interface SessionState {
  /** 0x0304: TLS 1.3. */
  readonly version: number;
  readonly suite: SuiteName;
  readonly secret: Uint8Array;
  readonly alpn: string | undefined;
  readonly serverName: string | undefined;
  /** Whom the server was. */
  readonly identity: string;
  /** What its trust and its TLS policy hung on: the owner's own text. */
  readonly binding: string;
  readonly demand: Demand;
  /** The client's certificates as they were shown, leaf first; empty: it showed none. */
  readonly chain: readonly Uint8Array[];
  /** When the client proved itself with its certificate: never changed by resumption. */
  readonly authenticatedAt: number;
  readonly createdAt: number;
  /** Nothing of this session is taken after this, nor are its successors. */
  readonly expiresAt: number;
  readonly ageAdd: number;
  readonly earlyDataLimit: number;
  /** The worker that made the ticket, the ticket's own name, and its birth on that worker's monotonic clock, ms. */
  readonly worker: Uint8Array;
  readonly id: Uint8Array;
  readonly mintedAt: number;
}

const FORMAT = 1;
export const WORKER_LENGTH = 16;
export const ID_LENGTH = 16;
const DEMANDS: readonly Demand[] = ['nothing', 'certificate-if-any', 'certificate'];

export function encodeSessionState(state: SessionState): Uint8Array {
  return concat(
    u8(FORMAT),
    u16(state.version),
    u16(SUITES[state.suite].id),
    vector8(state.secret),
    optional(state.alpn),
    optional(state.serverName),
    text(state.identity),
    text(state.binding),
    u8(DEMANDS.indexOf(state.demand)),
    vector24(...state.chain.map((der) => vector24(der))),
    milliseconds(state.authenticatedAt),
    milliseconds(state.createdAt),
    milliseconds(state.expiresAt),
    u32(state.ageAdd),
    u32(state.earlyDataLimit),
    state.worker,
    state.id,
    milliseconds(state.mintedAt),
  );
}

/** Undefined for what is no state of this format: of another release, or a bug. The bytes are our own, authenticated. */
export function decodeSessionState(bytes: Uint8Array): SessionState | undefined {
  try {
    return decode(new Reader(bytes, 'session state'));
  } catch (error) {
    if (error instanceof TlsError) return undefined;
    throw error;
  }
}

function decode(reader: Reader): SessionState | undefined {
  if (reader.u8() !== FORMAT) return undefined;
  const version = reader.u16();
  const suite = suiteName(reader.u16());
  const secret = reader.vector8(1).slice();
  const alpn = readOptional(reader);
  const serverName = readOptional(reader);
  const identity = readText(reader);
  const binding = readText(reader);
  const demand = DEMANDS[reader.u8()];
  if (suite === undefined || demand === undefined) return undefined;
  const list = new Reader(reader.vector24(0), 'session state');
  const chain: Uint8Array[] = [];
  while (list.left > 0) chain.push(list.vector24(1).slice());
  const state = {
    version,
    suite,
    secret,
    alpn,
    serverName,
    identity,
    binding,
    demand,
    chain,
    authenticatedAt: readMilliseconds(reader),
    createdAt: readMilliseconds(reader),
    expiresAt: readMilliseconds(reader),
    ageAdd: reader.u32(),
    earlyDataLimit: reader.u32(),
    worker: reader.bytes(WORKER_LENGTH).slice(),
    id: reader.bytes(ID_LENGTH).slice(),
    mintedAt: readMilliseconds(reader),
  };
  reader.finish();
  return state;
}

/** Whole milliseconds: 48 bits hold the year 10889. */
function milliseconds(value: number): Uint8Array {
  const whole = Math.floor(value);
  return concat(u16(Math.floor(whole / 2 ** 32)), u32(whole % 2 ** 32));
}

function readMilliseconds(reader: Reader): number {
  return reader.u16() * 2 ** 32 + reader.u32();
}

function text(value: string): Uint8Array {
  return vector16(fromAscii(value));
}

function readText(reader: Reader): string {
  return Buffer.from(reader.vector16(0)).toString('latin1');
}

/** An empty name is none: neither ALPN nor SNI can be empty. */
function optional(value: string | undefined): Uint8Array {
  return text(value ?? '');
}

function readOptional(reader: Reader): string | undefined {
  const value = readText(reader);
  return value === '' ? undefined : value;
}
