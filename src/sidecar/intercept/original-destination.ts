import type { Socket } from 'node:net';
import { constants } from 'node:os';
import type { Refusal } from '#handshake';
import { formatAddress } from '#policy';
import { err, ok, plainAddress, type Result } from '#runtime';
import type { Endpoint } from '../listen/endpoint.ts';
import { descriptorOf } from './descriptor.ts';
import { INTERCEPT_REASONS } from './reason.ts';

/**
 * Where a redirected connection was going before the packet filter sent it here. A connection that was not redirected
 * was going to our own address and port, or is refused as `not-redirected` where the kernel tracks no such connection.
 */
export type OriginalDestination = (socket: Socket) => Result<Endpoint, Refusal>;

/** getsockopt(2): 0, or -1 and errno. `length` is in and out. */
export type GetSockOpt = (
  descriptor: number,
  level: number,
  option: number,
  value: Buffer,
  length: number[],
) => number;

export function readOriginalDestination(
  socket: Socket,
  getsockopt: GetSockOpt,
  errno: () => number,
): Result<Endpoint, Refusal> {
  const { level, option, length, decode } = plainAddress(socket.localAddress).includes('.') ? IPV4 : IPV6;
  const descriptor = descriptorOf(socket);
  if (descriptor === undefined) return unreadable('the socket is closed');
  const address = Buffer.alloc(length);
  if (getsockopt(descriptor, level, option, address, [length]) === 0) return ok(decode(address));
  const number = errno();
  return number === constants.errno.ENOENT
    ? err({ reason: INTERCEPT_REASONS['not-redirected'], detail: 'no such connection is tracked' })
    : unreadable(`getsockopt: ${errorName(number)}`);
}

interface AddressFamily {
  readonly level: number;
  readonly option: number;
  /** Bytes of its sockaddr. */
  readonly length: number;
  readonly decode: (address: Buffer) => Endpoint;
}

/** linux/netfilter_ipv4.h: SO_ORIGINAL_DST at SOL_IP; ip(7), struct sockaddr_in. IPv4-mapped sockets take it too. */
const IPV4: AddressFamily = {
  level: 0,
  option: 80,
  length: 16,
  decode: (address) => ({ host: formatAddress([address.readUInt32BE(4)]), port: address.readUInt16BE(2) }),
};

/** linux/netfilter_ipv6/ip6_tables.h: IP6T_SO_ORIGINAL_DST at SOL_IPV6; ipv6(7), struct sockaddr_in6. */
const IPV6: AddressFamily = {
  level: 41,
  option: 80,
  length: 28,
  decode: (address) => ({
    host: formatAddress([8, 12, 16, 20].map((offset) => address.readUInt32BE(offset))),
    port: address.readUInt16BE(2),
  }),
};

function errorName(number: number): string {
  const found = Object.entries(constants.errno).find(([, value]) => value === number);
  return found?.[0] ?? `errno ${number}`;
}

function unreadable(detail: string): Result<never, Refusal> {
  return err({ reason: INTERCEPT_REASONS['original-destination-unreadable'], detail });
}
