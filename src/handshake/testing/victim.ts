import { expect } from 'vitest';
import type { AlertName } from '../alert.ts';
import type { ClientConfig, ServerConfig } from '../config.ts';
import { ClientConnection, ServerConnection } from '../connection.ts';
import type { ConnectionEvent } from '../events.ts';
import type { ReasonCode } from '../reasons.ts';
import { clientConfig, type Endpoint, exchange, serverConfig } from './pair.ts';
import { honest, TamperingEngine } from './tampering-engine.ts';

export interface Configs {
  readonly client?: Partial<ClientConfig>;
  readonly server?: Partial<ServerConfig>;
}

/** A connection under attack, and what it told its observer. */
export interface Victim {
  readonly connection: ClientConnection | ServerConnection;
  readonly events: readonly ConnectionEvent[];
}

export function victimClient(config: Partial<ClientConfig> = {}): Victim {
  const events: ConnectionEvent[] = [];
  return { connection: new ClientConnection(clientConfig(config), (event) => events.push(event)), events };
}

export function victimServer(config: Partial<ServerConfig> = {}): Victim {
  const events: ConnectionEvent[] = [];
  return { connection: new ServerConnection(serverConfig(config), (event) => events.push(event)), events };
}

/** Lets victim and attacker talk until both are quiet. */
export function attack(victim: Victim, attacker: Endpoint): Victim {
  if (victim.connection.role === 'client') exchange(victim.connection, attacker);
  else exchange(attacker, victim.connection);
  return victim;
}

/**
 * The victim ended with this reason, sent this alert (undefined: none), promised nothing, and stays ended whatever
 * else comes.
 */
export function expectRefusal(
  victim: Victim,
  code: ReasonCode | (string & {}),
  alert: AlertName | undefined,
  detail: string | RegExp = '',
): void {
  const { connection, events } = victim;
  const { failure } = connection;
  expect(failure?.code ?? `no failure, but ${connection.stateName}`).toBe(code);
  expect(failure!.detail).toMatch(detail);
  const alerts = events.filter((event) => event.type === 'alert' && event.direction === 'sent');
  expect(alerts.map((event) => event.type === 'alert' && event.alert)).toEqual(
    alert === undefined ? [] : [alert],
  );
  expect(events.at(-1)).toEqual({ type: 'failed', error: failure });
  expect(connection.pending).toBeUndefined();
  connection.takeOutput();
  connection.receive(Uint8Array.of(22, 3, 3, 0, 1, 0));
  connection.endOfInput();
  expect(connection.takeOutput()).toHaveLength(0);
  expect(connection.takePlaintext()).toHaveLength(0);
  expect(connection.failure).toBe(failure);
}

/** The victim neither failed nor finished: it waits for input, and for nothing else. */
export function expectWaiting(victim: Victim, state: string): void {
  const { connection } = victim;
  expect(connection.failure).toBeUndefined();
  expect(connection.established).toBe(false);
  expect(connection.pending).toBeUndefined();
  expect(connection.stateName).toBe(state);
}

/** An established victim and the engine that it believes; `deliver` brings over what the engine has to send. */
export interface Acquaintance {
  readonly victim: Victim;
  readonly engine: TamperingEngine;
  deliver(): void;
}

export function acquainted(role: 'client' | 'server', configs: Configs = {}): Acquaintance {
  const victim = role === 'client' ? victimClient(configs.client) : victimServer(configs.server);
  const engine =
    role === 'client'
      ? TamperingEngine.server(honest, 'original', configs.server)
      : TamperingEngine.client(honest, 'original', configs.client);
  attack(victim, engine);
  expect(victim.connection.established).toBe(true);
  return { victim, engine, deliver: () => victim.connection.receive(engine.takeOutput()) };
}
