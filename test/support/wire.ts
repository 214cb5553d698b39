import { readFileSync } from 'node:fs';

/** The bytes that one side of a TCP connection sent, in order. */
export interface Stream {
  /** `10.77.0.2 40112 > 10.77.0.3 80` */
  readonly name: string;
  readonly from: string;
  readonly fromPort: number;
  readonly to: string;
  readonly toPort: number;
  readonly bytes: Buffer;
}

/** Every TCP stream with data in what `tcpdump -w` wrote of Ethernet; segments that were seen twice count once. */
export function streamsOf(file: string): readonly Stream[] {
  const streams = new Map<string, { segments: Map<number, Buffer>; first: number; address: Address }>();
  for (const frame of framesOf(readFileSync(file))) {
    const segment = tcpOf(frame);
    if (segment === undefined || segment.data.length === 0) continue;
    const { address, sequence, data } = segment;
    const name = `${address.from} ${address.fromPort} > ${address.to} ${address.toPort}`;
    const stream = streams.get(name) ?? { segments: new Map<number, Buffer>(), first: sequence, address };
    streams.set(name, stream);
    // Relative to the first one seen, so that sequence numbers may wrap.
    const offset = (sequence - stream.first) | 0;
    const known = stream.segments.get(offset);
    if (known === undefined || known.length < data.length) stream.segments.set(offset, data);
  }
  return [...streams].map(([name, { segments, address }]) => ({ name, ...address, bytes: joined(segments) }));
}

/**
 * Why a stream is not TLS 1.3, or undefined: it begins with a ClientHello or ServerHello that offers or chooses 1.3
 * (RFC 8446 4.2.1), and goes on in whole or cut records of application data.
 */
export function whyNotTls13({ bytes }: Stream): string | undefined {
  if (bytes[0] !== HANDSHAKE)
    return `begins with ${JSON.stringify(bytes.subarray(0, 24).toString('latin1'))}`;
  const hello = bytes.subarray(5, 5 + bytes.readUInt16BE(3));
  const isClient = hello[0] === CLIENT_HELLO;
  const versions = hello.indexOf(isClient ? OFFERS_TLS13 : CHOOSES_TLS13);
  if (versions < 0) return `${isClient ? 'its ClientHello offers' : 'its ServerHello chooses'} no TLS 1.3`;
  let at = 5 + hello.length;
  for (let record = 2; at + 5 <= bytes.length; record += 1) {
    const type = bytes.readUInt8(at);
    if (type !== APPLICATION_DATA && type !== CHANGE_CIPHER_SPEC) return `record ${record} has type ${type}`;
    if (bytes.readUInt16BE(at + 1) !== LEGACY_VERSION) return `record ${record} has another version`;
    at += 5 + bytes.readUInt16BE(at + 3);
  }
  return undefined;
}

/** RFC 8446 5.1, 4. */
const HANDSHAKE = 22;
const CHANGE_CIPHER_SPEC = 20;
const APPLICATION_DATA = 23;
const LEGACY_VERSION = 0x0303;
const CLIENT_HELLO = 1;
/** supported_versions: extension 43 with a list of one version, and with the chosen one. */
const OFFERS_TLS13 = Buffer.from('002b0003020304', 'hex');
const CHOOSES_TLS13 = Buffer.from('002b00020304', 'hex');

interface Address {
  readonly from: string;
  readonly fromPort: number;
  readonly to: string;
  readonly toPort: number;
}

/** draft-ietf-opsawg-pcap: a header of 24 bytes, and one of 16 before each frame, in the writer's byte order. */
function* framesOf(file: Buffer): Generator<Buffer> {
  if (file.readUInt32LE(0) !== 0xa1b2c3d4 || file.readUInt32LE(20) !== 1)
    throw new Error('no capture of Ethernet');
  for (let at = 24; at + 16 <= file.length; ) {
    const length = file.readUInt32LE(at + 8);
    if (file.readUInt32LE(at + 12) > length) throw new Error('a frame was cut');
    yield file.subarray(at + 16, at + 16 + length);
    at += 16 + length;
  }
}

function tcpOf(frame: Buffer): { address: Address; sequence: number; data: Buffer } | undefined {
  const type = frame.readUInt16BE(12);
  const packet = frame.subarray(14);
  if (type === 0x0800 && packet.readUInt8(9) === 6) {
    const header = (packet.readUInt8(0) & 15) * 4;
    const address = (offset: number): string => [...packet.subarray(offset, offset + 4)].join('.');
    return segmentOf(packet.subarray(header, packet.readUInt16BE(2)), address(12), address(16));
  }
  // Without extension headers: nothing here sends any with TCP.
  if (type === 0x86dd && packet.readUInt8(6) === 6) {
    const address = (offset: number): string => packet.subarray(offset, offset + 16).toString('hex');
    return segmentOf(packet.subarray(40, 40 + packet.readUInt16BE(4)), address(8), address(24));
  }
  return undefined;
}

/** RFC 9293 3.1. */
function segmentOf(segment: Buffer, from: string, to: string) {
  const address = { from, fromPort: segment.readUInt16BE(0), to, toPort: segment.readUInt16BE(2) };
  return {
    address,
    sequence: segment.readUInt32BE(4),
    data: segment.subarray((segment.readUInt8(12) >>> 4) * 4),
  };
}

function joined(segments: ReadonlyMap<number, Buffer>): Buffer {
  const ordered = [...segments].toSorted(([a], [b]) => a - b);
  const parts: Buffer[] = [];
  let end = ordered[0]?.[0] ?? 0;
  for (const [offset, data] of ordered) {
    if (offset > end) throw new Error('the capture lost a segment');
    parts.push(data.subarray(end - offset));
    end = Math.max(end, offset + data.length);
  }
  return Buffer.concat(parts);
}
