import { beforeEach, expect, test } from 'vitest';
import { Scope, silentLog } from '#runtime';
import { FakeClock } from '#runtime/testing';
import { SharedDocument } from '../testing/shared-document.ts';
import type { Revocation } from './revocation.ts';
import { Revocations } from './revocations.ts';

const DAY = 24 * 3_600_000;

let clock: FakeClock;
let shared: SharedDocument;

beforeEach(() => {
  clock = new FakeClock();
  shared = new SharedDocument();
});

function open(): Promise<Revocations> {
  return Revocations.open({ document: shared.client(), clock, log: silentLog });
}

function entry(kind: Revocation['kind'], value: string): Revocation {
  return { kind, value, at: clock.now() };
}

test('what one revokes every replica knows within seconds, until it is restored', async () => {
  const scope = new Scope('test', () => undefined);
  const [replica, other] = [await open(), await open()];
  replica.run(scope);
  await other.change('revoke', entry('pod', 'one'));
  await other.change('revoke', entry('serviceAccount', 'shop/web'));
  await clock.advance(5000);
  expect(replica.value.value.map(({ value }) => value)).toEqual(['one', 'shop/web']);
  await other.change('restore', entry('pod', 'one'));
  await clock.advance(5000);
  expect(replica.value.value.map(({ value }) => value)).toEqual(['shop/web']);
  await scope.close();
});

test('replicas that start at once make one document, which none of them writes over', async () => {
  const config = () => ({ document: shared.client(), clock, log: silentLog });
  await Promise.all([1, 2, 3].map(() => Revocations.openOrMake(config())));
  expect(await shared.client().read()).toMatchObject({ text: '{"format":1,"revocations":[]}' });
  await (await open()).change('revoke', entry('pod', 'one'));
  expect((await Revocations.openOrMake(config())).value.value).toHaveLength(1);
});

test('two who revoke at once lose nothing of each other', async () => {
  const operators = await Promise.all([open(), open(), open()]);
  await Promise.all(operators.map((each, index) => each.change('revoke', entry('pod', `pod ${index}`))));
  expect((await open()).value.value).toHaveLength(3);
});

test('pods and serials are forgotten when no certificate of theirs can live; accounts are not', async () => {
  const list = await open();
  await list.change('revoke', entry('serial', 'aa'));
  await list.change('revoke', entry('serviceAccount', 'shop/web'));
  await clock.advance(2 * DAY);
  await list.change('revoke', entry('pod', 'new'));
  expect(list.value.value.map(({ value }) => value)).toEqual(['shop/web', 'new']);
});

test('a list that is damaged or removed sets nobody free, and is not written over', async () => {
  const scope = new Scope('test', () => undefined);
  const list = await open();
  list.run(scope);
  await list.change('revoke', entry('pod', 'one'));
  for (const damage of [
    '',
    '{',
    '{"format":2,"revocations":[]}',
    '{"format":1,"revocations":[{"kind":"all"}]}',
  ]) {
    shared.overwrite(damage);
    await expect(open()).rejects.toThrow('does not hold a list of revocations');
    await expect(list.change('revoke', entry('pod', 'two'))).rejects.toThrow();
    expect(shared.text).toBe(damage);
    await clock.advance(5000);
    expect(list.value.value).toHaveLength(1);
  }
  shared.overwrite(undefined);
  await clock.advance(5000);
  expect(list.value.value).toHaveLength(1);
  await scope.close();
});
