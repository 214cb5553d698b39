import { parseAddress } from '#policy';
import type { Endpoint } from '../listen/endpoint.ts';

/**
 * Whether somebody in this network namespace listens at an address and port: a lookup in the kernel as it does one for a
 * SYN (sock_diag(7)), a few microseconds, and nobody is connected to. undefined: it can't be told here.
 */
export type ListensAt = (endpoint: Endpoint) => boolean | undefined;

/** socket(2), sendto(2) without an address, recvfrom(2) likewise, close(2). Each -1 on failure. */
export interface NetlinkCalls {
  socket(family: number, type: number, protocol: number): number;
  send(descriptor: number, bytes: Buffer, length: number, flags: number): number;
  receive(descriptor: number, bytes: Buffer, length: number, flags: number): number;
  close(descriptor: number): number;
}

export function readListening(endpoint: Endpoint, calls: NetlinkCalls): boolean | undefined {
  const request = encodeRequest(endpoint);
  if (request === undefined) return undefined;
  const descriptor = calls.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (descriptor < 0) return undefined;
  try {
    const answer = Buffer.alloc(ANSWER_BYTES);
    if (calls.send(descriptor, request, request.length, 0) !== request.length) return undefined;
    // The kernel answers within the call above: what is not there now does not come.
    const length = calls.receive(descriptor, answer, answer.length, MSG_DONTWAIT);
    return decodeAnswer(answer.subarray(0, Math.max(length, 0)));
  } finally {
    calls.close(descriptor);
  }
}

/** linux/socket.h, linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h. Netlink speaks the machine's own byte order. */
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_SOCK_DIAG = 4;
const MSG_DONTWAIT = 0x40;
const SOCK_DIAG_BY_FAMILY = 20;
const NLMSG_ERROR = 2;
const NLM_F_REQUEST = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const IPPROTO_TCP = 6;
const TCP_LISTEN = 10;
const ENOENT = 2;
/** struct nlmsghdr, and with it struct inet_diag_req_v2. */
const HEADER_BYTES = 16;
const REQUEST_BYTES = HEADER_BYTES + 56;
const ANSWER_BYTES = 1024;

/** Of one socket, by its own address and port; the other end is open, so only one that listens fits. */
function encodeRequest({ host, port }: Endpoint): Buffer | undefined {
  const words = parseAddress(host);
  if (words === undefined) return undefined;
  const bytes = Buffer.alloc(REQUEST_BYTES);
  bytes.writeUInt32LE(REQUEST_BYTES, 0);
  bytes.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4);
  bytes.writeUInt16LE(NLM_F_REQUEST, 6);
  bytes[HEADER_BYTES] = words.length === 1 ? AF_INET : AF_INET6;
  bytes[HEADER_BYTES + 1] = IPPROTO_TCP;
  bytes.writeUInt32LE(1 << TCP_LISTEN, HEADER_BYTES + 4);
  const id = HEADER_BYTES + 8;
  bytes.writeUInt16BE(port, id);
  for (const [index, word] of words.entries()) bytes.writeUInt32BE(word, id + 4 + 4 * index);
  // INET_DIAG_NOCOOKIE: whichever socket it is.
  bytes.fill(0xff, id + 40, id + 48);
  return bytes;
}

function decodeAnswer(answer: Buffer): boolean | undefined {
  if (answer.length < HEADER_BYTES + 4) return undefined;
  const type = answer.readUInt16LE(4);
  if (type === NLMSG_ERROR) return answer.readInt32LE(HEADER_BYTES) === -ENOENT ? false : undefined;
  // struct inet_diag_msg: family, then state.
  return type === SOCK_DIAG_BY_FAMILY ? answer[HEADER_BYTES + 1] === TCP_LISTEN : undefined;
}
