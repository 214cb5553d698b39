import type { Socket } from 'node:net';
import type { Refusal } from '#handshake';
import { err, ok, type Result } from '#runtime';
import { descriptorOf } from './descriptor.ts';
import { type ListensAt, type NetlinkCalls, readListening } from './listening.ts';
import {
  type GetSockOpt,
  type OriginalDestination,
  readOriginalDestination,
} from './original-destination.ts';
import { INTERCEPT_REASONS } from './reason.ts';

/**
 * Whether the socket is reset instead of ended if this process dies. The system ends the sockets of a killed process as
 * if all had been said, and an answer that was cut would look whole to whoever reads it.
 */
export type ResetOnDeath = (socket: Socket, on: boolean) => void;

/** What a sidecar asks of the system about sockets and Node has no interface for. Linux only. */
export interface SocketCalls {
  readonly originalDestination: OriginalDestination;
  readonly resetOnDeath: ResetOnDeath;
  readonly listensAt: ListensAt;
}

/**
 * Loads koffi and finds the calls in the C library that Node itself runs on. Once and early: where that can't be had, no
 * connection can be captured. The error is `original-destination-unreadable`.
 */
export async function openSocketCalls(): Promise<Result<SocketCalls, Refusal>> {
  try {
    const { default: koffi } = await import('koffi');
    const library = koffi.load(null);
    const getsockopt = library.func(
      'int getsockopt(int, int, int, _Out_ uint8_t *, _Inout_ uint32_t *)',
    ) as unknown as GetSockOpt;
    const setsockopt = library.func(
      'int setsockopt(int, int, int, const uint8_t *, uint32_t)',
    ) as unknown as SetSockOpt;
    const netlink: NetlinkCalls = {
      socket: library.func('int socket(int, int, int)'),
      send: library.func('intptr_t send(int, const uint8_t *, uintptr_t, int)'),
      receive: library.func('intptr_t recv(int, _Out_ uint8_t *, uintptr_t, int)'),
      close: library.func('int close(int)'),
    };
    return ok({
      listensAt: (endpoint) => readListening(endpoint, netlink),
      originalDestination: (socket) => readOriginalDestination(socket, getsockopt, () => koffi.errno()),
      resetOnDeath(socket, on) {
        const descriptor = descriptorOf(socket);
        if (descriptor === undefined) return;
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, on ? NO_LINGER : ORDINARY, NO_LINGER.length);
      },
    });
  } catch (error) {
    const detail = `koffi: ${error instanceof Error ? error.message : String(error)}`;
    return err({ reason: INTERCEPT_REASONS['original-destination-unreadable'], detail });
  }
}

type SetSockOpt = (
  descriptor: number,
  level: number,
  option: number,
  value: Buffer,
  length: number,
) => number;

/** asm-generic/socket.h, and the processors that Node and koffi come for on Linux. */
const SOL_SOCKET = 1;
const SO_LINGER = 13;
/** socket(7), struct linger { int l_onoff; int l_linger; }: on with no time is a reset at close. */
const NO_LINGER = lingerBytes(1);
const ORDINARY = lingerBytes(0);

function lingerBytes(on: number): Buffer {
  return Buffer.from(new Int32Array([on, 0]).buffer);
}
