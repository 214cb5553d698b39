import { expect } from 'vitest';
import type { Cluster } from './cluster.ts';
import { eventually } from './command.ts';
import { expectNoneFailed, finish, seconds, tell } from './load.ts';
import { applicationContainer, type Namespace, pod } from './namespace.ts';
import { rolledOut } from './rollout.ts';
import { get, NO_ANSWER } from './shop.ts';
import { KINDS, podsOf, steadyMesh } from './steady-mesh.ts';

/** A leaf of two minutes is renewed at 40 s at the latest: so long it lasts without a controller. */
const OUTAGE_BUDGET_SECONDS = 80;
const AWAY_SECONDS = OUTAGE_BUDGET_SECONDS * 0.9;
/** From the order until a controller issues again. */
const START_SECONDS = 6;

/** Kills the controller that leads, then deletes all of them for 90 % of what the certificates last. */
export async function withoutController(cluster: Cluster, namespace: Namespace): Promise<void> {
  const mesh = await steadyMesh(cluster, namespace);
  const [outside = ''] = await namespace.addresses('outside');
  expect(await get(namespace, 'caller', outside)).toMatchObject({ name: 'outside' });

  const leader = await mesh.leader();
  await mesh.controller(['delete', 'pod', leader, '--grace-period=0', '--force']);
  await eventually(async () => expect(await mesh.leader()).not.toBe(leader), 120_000);
  await mesh.controllerReady();

  await mesh.scaleController(0);
  const gone = Date.now();
  // Its address is nobody's that the sidecars have heard of.
  await namespace.apply(
    pod('late', [applicationContainer('application', ['serve', '8080'])]),
    mesh.pod('newcomer', [applicationContainer('application', ['serve', '8080'])], { account: 'server' }),
  );
  // The endpoints change, and nobody is told: a call that meets the dead one goes elsewhere.
  const [victim = ''] = await podsOf(namespace, 'server');
  await namespace.kubectl(['delete', 'pod', victim, '--wait=false']);
  await namespace.until('Ready', ['pod/late']);
  const [late = ''] = await namespace.addresses('late');
  await expect(get(namespace, 'caller', late)).rejects.toThrow(NO_ANSWER);
  await eventually(() => expect(get(namespace, 'caller', outside)).rejects.toThrow(NO_ANSWER));
  const refusals = await mesh.lines('caller');
  const reasonOf = (address: string): unknown =>
    refusals.findLast(({ detail }) => String(detail).startsWith(`${address}:`))?.reason;
  expect(reasonOf(late)).toBe('destination-unknown');
  expect(reasonOf(outside)).toBe('lease-lapsed');
  expect(await namespace.kubectl(['logs', 'late'])).toBe('');

  await seconds(Math.max(AWAY_SECONDS - START_SECONDS - (Date.now() - gone) / 1000, 0));
  expect(await namespace.field('pod/newcomer', '.status.conditions[?(@.type=="Ready")].status')).toBe(
    'False',
  );
  await mesh.scaleController(2);
  const away = (Date.now() - gone) / 1000;

  await namespace.until('Ready', ['pod/newcomer']);
  await eventually(async () =>
    expect(await get(namespace, 'caller', outside)).toMatchObject({ name: 'outside' }),
  );
  await eventually(async () => expect(await get(namespace, 'caller', late)).toMatchObject({ name: 'late' }));
  await rolledOut(namespace);
  const reports = await finish(namespace, KINDS);
  tell(`controller away for ${away.toFixed(0)} s`, reports);
  expectNoneFailed(reports);
}
