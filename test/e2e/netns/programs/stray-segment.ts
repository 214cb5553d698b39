/**
 * `stray-segment.ts SOURCE PORT DESTINATION PORT` sends IPv4 TCP segments with data at four places evenly spread over the
 * sequence space, so that two of them lie beyond whatever window that connection has: what connection tracking calls
 * invalid. Says how many of them this machine's own packet filter did not let out.
 */
import { constants } from 'node:os';
import koffi from 'koffi';

const [source = '', sourcePort = '', destination = '', destinationPort = ''] = process.argv.slice(2);
const octets = (address: string): number[] => address.split('.').map(Number);

/** ip(7), raw(7): with IPPROTO_TCP the kernel writes the IP header. */
const AF_INET = 2;
const SOCK_RAW = 3;
const IPPROTO_TCP = 6;
const library = koffi.load(null);
const open = library.func('int socket(int, int, int)');
const send = library.func('long sendto(int, uint8_t *, size_t, int, uint8_t *, uint32_t)');
const descriptor: unknown = open(AF_INET, SOCK_RAW, IPPROTO_TCP);
const address = Buffer.from([AF_INET, 0, 0, 0, ...octets(destination), 0, 0, 0, 0, 0, 0, 0, 0]);
let refused = 0;
for (const sequence of [0x1000_0000, 0x5000_0000, 0x9000_0000, 0xd000_0000]) {
  const bytes = segment(sequence);
  const sent: unknown = send(descriptor, bytes, bytes.length, 0, address, address.length);
  if (sent === bytes.length) continue;
  // What is dropped on its way out comes back as an error of the call.
  if (koffi.errno() !== constants.errno.EPERM) throw new Error(`sendto: errno ${koffi.errno()}`);
  refused += 1;
}
console.log(`refused ${refused}`);

/** RFC 9293 3.1: ports, sequence, acknowledgment, offset and flags (PSH, ACK), window, checksum, urgent; 1 byte of data. */
function segment(sequence: number): Buffer {
  const bytes = Buffer.alloc(21);
  bytes.writeUInt16BE(Number(sourcePort), 0);
  bytes.writeUInt16BE(Number(destinationPort), 2);
  bytes.writeUInt32BE(sequence, 4);
  bytes.writeUInt32BE(0x3456_789a, 8);
  bytes.writeUInt16BE(0x5018, 12);
  bytes.writeUInt16BE(512, 14);
  bytes.writeUInt8(0x21, 20);
  const pseudoHeader = Buffer.from([...octets(source), ...octets(destination), 0, 6, 0, bytes.length]);
  bytes.writeUInt16BE(checksum(Buffer.concat([pseudoHeader, bytes])), 16);
  return bytes;
}

/** RFC 1071. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt8(at) * 256 + (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum >>> 16) + (sum & 0xffff);
  return ~sum & 0xffff;
}
