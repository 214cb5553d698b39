import { describe, expect, it } from 'vitest';
import { HANDSHAKE_TYPES } from './messages/names.ts';
import type { Received } from './messages/message.ts';
import type { Pending } from './pending.ts';
import type { Port } from './port.ts';
import {
  type ClientNext,
  type ClientState,
  type ServerNext,
  type ServerState,
  TRANSITIONS,
} from './states.ts';

/*
 * The tables bite at compile time: each class below breaks its row, and `tsc -b` fails if one of the errors that are
 * expected here goes away.
 */

/** Control: a state that keeps to its row compiles. */
class Keeps implements ClientState<'ExpectCertificateVerify'> {
  readonly name = 'ExpectCertificateVerify';
  handle(_message: Received<'certificate_verify'>, _port: Port): ClientNext<'ExpectCertificateVerify'> {
    return { name: 'ExpectFinished' };
  }
}

class SkipsFinished implements ClientState<'ExpectCertificateVerify'> {
  readonly name = 'ExpectCertificateVerify';
  handle(_message: Received<'certificate_verify'>, _port: Port): ClientNext<'ExpectCertificateVerify'> {
    // @ts-expect-error Traffic may not follow ExpectCertificateVerify
    return { name: 'Traffic' };
  }
}

class SkipsSignature implements ServerState<'ExpectCertificate'> {
  readonly name = 'ExpectCertificate';
  handle(_message: Received<'certificate'>, _port: Port): ServerNext<'ExpectCertificate'> {
    // @ts-expect-error Traffic may not follow ExpectCertificate (CVE-2022-25640)
    return { name: 'Traffic' };
  }
}

class DeclaresAnotherNext implements ServerState<'ExpectFinished'> {
  readonly name = 'ExpectFinished';
  // @ts-expect-error ExpectCertificate may not follow ExpectFinished
  handle(_message: Received<'finished'>, _port: Port): ServerState<'ExpectCertificate'> {
    return { name: 'ExpectCertificate' };
  }
}

class TakesAnotherMessage implements ClientState<'ExpectFinished'> {
  readonly name = 'ExpectFinished';
  // @ts-expect-error ExpectFinished gets finished, not certificate_verify
  handle(_message: Received<'certificate_verify'>, _port: Port): ClientNext<'ExpectFinished'> {
    return { name: 'Traffic' };
  }
}

class PausesIntoTraffic implements ClientState<'ValidatingChain'> {
  readonly name = 'ValidatingChain';
  // @ts-expect-error a verdict leads to ExpectCertificateVerify, not to Traffic
  readonly pending: Pending<ClientState<'Traffic'>> = undefined as never;
}

// @ts-expect-error there is no such state
class Invented implements ClientState<'ExpectNothing'> {
  readonly name = 'ExpectNothing';
}

describe.each(Object.entries(TRANSITIONS))('the transitions of a %s', (role, table) => {
  const rows: Readonly<Record<string, { readonly on: readonly string[]; readonly next: readonly string[] }>> =
    table;

  it('lead to states and are led by messages that exist', () => {
    for (const { on, next } of Object.values(rows)) {
      for (const name of next) expect(rows).toHaveProperty(name);
      for (const message of on) expect(HANDSHAKE_TYPES).toHaveProperty(message);
    }
  });

  it('reach every state, and Traffic from every state', () => {
    const first = role === 'client' ? 'ValidatingSession' : 'ExpectClientHello';
    expect(reachable(rows, first)).toEqual(new Set(Object.keys(rows)));
    for (const name of Object.keys(rows)) expect(reachable(rows, name)).toContain('Traffic');
  });

  it('reach Traffic only through ExpectFinished', () => {
    const before = Object.keys(rows).filter(
      (name) => name !== 'Traffic' && rows[name]!.next.includes('Traffic'),
    );
    const pausesAfterFinished = role === 'client' ? ['ExpectFinished', 'Signing'] : ['ExpectFinished'];
    expect(before).toEqual(pausesAfterFinished);
    const beforeSigning = Object.keys(rows).filter((name) => rows[name]!.next.includes('Signing'));
    if (role === 'client') expect(beforeSigning).toEqual(['ExpectFinished']);
  });

  it('the classes of this file stand for rows that exist', () => {
    const named = [
      Keeps,
      SkipsFinished,
      SkipsSignature,
      DeclaresAnotherNext,
      TakesAnotherMessage,
      PausesIntoTraffic,
    ];
    const all = { ...TRANSITIONS.client, ...TRANSITIONS.server };
    for (const each of named) expect(all).toHaveProperty(new each().name);
    expect(all).not.toHaveProperty(new Invented().name);
  });
});

function reachable(
  rows: Readonly<Record<string, { readonly next: readonly string[] }>>,
  from: string,
): Set<string> {
  const seen = new Set<string>();
  const visit = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    for (const next of rows[name]!.next) visit(next);
  };
  visit(from);
  return seen;
}
