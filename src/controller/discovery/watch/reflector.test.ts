import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Scope, silentLog } from '#runtime';
import { FakeClock } from '#runtime/testing';
import { TestApiServer, type TestObject } from '../../testing/api-server.ts';
import { apiObjects } from './api-objects.ts';
import { WATCH_LIMITS } from './limits.ts';
import { Reflector, type WatchRestart } from './reflector.ts';

const PODS = '/api/v1/pods';

let clock: FakeClock;
let server: TestApiServer;
let scope: Scope;
let reflector: Reflector;
let told: Map<string, string>;
let restarts: WatchRestart[];
const failures: unknown[] = [];

beforeEach(async () => {
  clock = new FakeClock();
  server = new TestApiServer(clock);
  await server.start();
  scope = new Scope('test', (error) => failures.push(error));
  told = new Map();
  restarts = [];
  reflector = new Reflector({
    api: apiObjects(server.kubeConfig),
    path: PODS,
    clock,
    log: silentLog,
    random: () => 0.5,
    limits: { ...WATCH_LIMITS, pageObjects: 3 },
    onObject: (key, object) => {
      if (object === undefined) told.delete(key);
      else told.set(key, String((object as unknown as TestObject).spec));
    },
    onRestart: (reason) => restarts.push(reason),
  });
});
afterEach(async () => {
  await scope.close();
  await server.stop();
  expect(failures.splice(0)).toEqual([]);
});

function put(name: string, spec = 'a'): void {
  server.put(PODS, { metadata: { name, namespace: 'shop' }, spec });
}

/** Lets time pass in steps until `condition` holds; real sockets need real turns between. */
async function until(condition: () => boolean, step = 0): Promise<void> {
  for (let turn = 0; turn < 2_000; turn += 1) {
    if (condition()) return;
    await clock.advance(step);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error('it never came true');
}

/** What the server has is what was told. */
async function same(names: Record<string, string>, step = 0): Promise<void> {
  const expected = new Map(Object.entries(names).map(([name, spec]) => [`shop/${name}`, spec]));
  await until(
    () => expected.size === told.size && [...expected].every(([key, spec]) => told.get(key) === spec),
    step,
  );
}

async function watching(): Promise<void> {
  await until(() => server.watching === 1);
}

test('lists by pages, then follows changes', async () => {
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) put(name);
  expect(reflector.fresh).toBe(false);
  reflector.run(scope);
  await same({ a: 'a', b: 'a', c: 'a', d: 'a', e: 'a', f: 'a', g: 'a' });
  expect(server.requests('list', PODS)).toBe(3);
  await watching();
  put('a', 'b');
  server.delete(PODS, 'shop/b');
  put('h');
  await same({ a: 'b', c: 'a', d: 'a', e: 'a', f: 'a', g: 'a', h: 'a' });
  expect(reflector.fresh).toBe(true);
  expect(reflector.told).toBe(server.version);
  expect(restarts).toEqual([]);
});

test('a quiet watch stays fresh: the server closes it before its minute, and says how far it got', async () => {
  put('a');
  reflector.run(scope);
  await watching();
  const before = server.requests('list', PODS);
  let oldest = 0;
  for (let second = 0; second < 300; second += 1) {
    await clock.advance(1_000);
    await new Promise((resolve) => setTimeout(resolve, 3));
    oldest = Math.max(oldest, reflector.ageMilliseconds);
    expect(reflector.fresh).toBe(true);
  }
  expect(oldest).toBeGreaterThan(20_000);
  expect(restarts.length).toBeGreaterThan(4);
  expect(new Set(restarts)).toEqual(new Set(['ended']));
  expect(server.requests('list', PODS)).toBe(before);
});

test('a quiet watch stays fresh without any bookmark: what was not heard of for long is listed again', async () => {
  put('a');
  server.sendsBookmarks = false;
  reflector.run(scope);
  await watching();
  const before = server.requests('list', PODS);
  for (let second = 0; second < 300; second += 1) {
    await clock.advance(1_000);
    await new Promise((resolve) => setTimeout(resolve, 3));
    expect(reflector.fresh).toBe(true);
  }
  expect(new Set(restarts)).toEqual(new Set(['ended']));
  expect(server.requests('list', PODS) - before).toBeGreaterThan(4);
});

describe('a change is not lost when the watch', () => {
  test('is reset', async () => {
    reflector.run(scope);
    await watching();
    server.drop();
    put('a');
    await same({ a: 'a' }, 100);
    expect(restarts).toEqual(['failed']);
    expect(server.requests('list', PODS)).toBe(1);
  });

  test('has expired: all is listed again, and what was deleted meanwhile is gone', async () => {
    put('a');
    put('b');
    reflector.run(scope);
    await watching();
    server.drop();
    server.delete(PODS, 'shop/a');
    put('b', 'b');
    put('c');
    server.compact();
    await same({ b: 'b', c: 'a' }, 100);
    expect(restarts).toContain('expired');
    expect(server.requests('list', PODS)).toBe(2);
  });

  test('ends within a line: that line comes again', async () => {
    put('a');
    reflector.run(scope);
    await watching();
    server.sendRaw(PODS, '{"type":"MODIFIED","object":{"metadata":{"na');
    await new Promise((resolve) => setTimeout(resolve, 20));
    server.drop();
    put('a', 'b');
    await same({ a: 'b' }, 100);
    expect(restarts).toEqual(['failed']);
    expect(server.requests('list', PODS)).toBe(1);
  });

  test.each([
    ['no JSON', '{"type":"MODIFIED","obj\n'],
    ['no event', '{"type":1}\n'],
    ['an event of no object', '{"type":"MODIFIED","object":{}}\n'],
    ['an event of no type that is known', '{"type":"MOVED","object":{"metadata":{"name":"a"}}}\n'],
  ])('brings %s: it may have been a change, so all is listed again', async (_, line) => {
    put('a');
    reflector.run(scope);
    await watching();
    server.sendRaw(PODS, line);
    put('b');
    await same({ a: 'a', b: 'a' }, 100);
    expect(restarts).toEqual(['malformed']);
    expect(server.requests('list', PODS)).toBe(2);
  });

  test('cannot be had for a while', async () => {
    reflector.run(scope);
    await watching();
    server.refuseWith = 500;
    server.endWatches();
    put('a');
    await until(() => restarts.filter((one) => one === 'refused').length >= 3, 500);
    server.refuseWith = undefined;
    await same({ a: 'a' }, 500);
  });
});

test('a watch that says nothing at all is given up', async () => {
  reflector.run(scope);
  await watching();
  // The server's own clock stands still: it never ends the watch.
  const silent = new FakeClock();
  const other = new TestApiServer(silent);
  await other.start();
  const alone = new Reflector({
    api: apiObjects(other.kubeConfig),
    path: PODS,
    clock,
    log: silentLog,
    random: () => 0,
    limits: WATCH_LIMITS,
    onObject: () => undefined,
    onRestart: (reason) => restarts.push(reason),
  });
  alone.run(scope);
  await until(() => other.watching === 1);
  await until(() => restarts.includes('silent'), 5_000);
  expect(other.requests('watch', PODS)).toBeGreaterThan(0);
  await scope.close();
  await other.stop();
});

describe('a kind that the server may not have', () => {
  function optional(doubtsAbsence = false): Reflector {
    const other = new Reflector({
      api: apiObjects(server.kubeConfig),
      path: PODS,
      clock,
      log: silentLog,
      random: () => 0.5,
      limits: WATCH_LIMITS,
      optional: true,
      doubtsAbsence,
      onObject: (key, object) => {
        if (object === undefined) told.delete(key);
        else told.set(key, 'there');
      },
      onRestart: (reason) => restarts.push(reason),
    });
    other.run(scope);
    return other;
  }

  test('is none while it is missing, stays fresh, and is followed once it is there', async () => {
    server.refuseWith = 404;
    const alone = optional();
    await until(() => alone.synced);
    for (let second = 0; second < 150; second += 1) {
      await clock.advance(1_000);
      await new Promise((resolve) => setTimeout(resolve, 2));
      if (second % 30 === 5) expect(alone.fresh).toBe(true);
    }
    expect(server.requests('list', PODS)).toBeLessThan(8);
    expect(restarts).toEqual([]);
    server.refuseWith = undefined;
    put('a');
    await until(() => told.size === 1, 1_000);
    await until(() => server.watching === 1, 100);
    server.refuseWith = 404;
    server.endWatches();
    await until(() => told.size === 0, 1_000);
  });

  test('attack: is missing all at once while it has objects, which are kept where that opens something', async () => {
    put('a');
    const alone = optional(true);
    await until(() => told.size === 1, 1_000);
    await until(() => server.watching === 1, 100);
    server.refuseWith = 404;
    server.endWatches();
    const asked = server.requests('list', PODS);
    await until(() => server.requests('list', PODS) > asked, 1_000);
    await clock.advance(1_000);
    expect([told.size, alone.synced, alone.fresh]).toEqual([1, true, true]);
    server.delete(PODS, 'shop/a');
    server.refuseWith = undefined;
    await until(() => told.size === 0, 1_000);
  });

  test('is not missing where asking is forbidden', async () => {
    server.refuseWith = 403;
    const alone = optional();
    await until(() => restarts.length >= 2, 1_000);
    expect(alone.synced).toBe(false);
    expect(new Set(restarts)).toEqual(new Set(['refused']));
  });
});

test('asks a server that ends every watch at once ever more rarely', async () => {
  reflector.run(scope);
  await watching();
  let ends = 0;
  for (let second = 0; second < 60; second += 1) {
    if (server.watching > 0) {
      ends += 1;
      server.endWatches();
    }
    await clock.advance(1_000);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  expect(ends).toBeGreaterThan(2);
  expect(server.requests('watch', PODS)).toBeLessThan(70);
});

describe('while the API server is away', () => {
  test.each([
    ['for 50 s it stays fresh, and goes on where it was', 50_000, true, false],
    ['for 5 minutes it does not, and lists all again', 300_000, false, true],
  ])('%s', async (_, away, staysFresh, expires) => {
    for (const name of ['a', 'b', 'c', 'd']) put(name);
    reflector.run(scope);
    await watching();
    put('a', 'before');
    await same({ a: 'before', b: 'a', c: 'a', d: 'a' });
    await server.stop();
    const step = 1_000;
    for (let passed = 0; passed < away; passed += step) {
      await clock.advance(step);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(reflector.fresh).toBe(staysFresh);
    expect(told.size).toBe(4);
    // Whatever wrote to it meanwhile, for instance by another API server.
    server.delete(PODS, 'shop/b');
    put('c', 'churned');
    put('e');
    if (expires) server.compact();
    await server.start();
    await same({ a: 'before', c: 'churned', d: 'a', e: 'a' }, 500);
    expect(reflector.fresh).toBe(true);
    expect(restarts.includes('expired')).toBe(expires);
  });
});
