import { afterEach, beforeEach, expect, test } from 'vitest';
import { ISSUANCE_REASONS } from '#identity/issuance';
import { Scope, silentLog } from '#runtime';
import { FakeClock } from '#runtime/testing';
import { type ApiAnswer, ApiUnavailable } from '../kubernetes/api.ts';
import { EVENT_LIMITS, PodEvents } from './pod-events.ts';

const POD = { namespace: 'shop', podName: 'web-1', podUid: 'uid-1' };
const REFUSAL = { reason: ISSUANCE_REASONS['token-used-with-another-key'], detail: 'token x of pod web-1' };

let clock: FakeClock;
let scope: Scope;
let events: PodEvents;
let written: { path: string; event: Record<string, unknown> }[];
let answer: () => Promise<ApiAnswer>;
beforeEach(() => {
  clock = new FakeClock();
  written = [];
  answer = () => Promise.resolve({ status: 201, body: {} });
  scope = new Scope('test', (error) => {
    throw error;
  });
  const api = {
    send: (_: string, path: string, event?: object) => {
      written.push({ path, event: event as Record<string, unknown> });
      return answer();
    },
  };
  events = new PodEvents({ api, component: 'sallyport-controller', instance: 'c-1', clock, log: silentLog });
  events.run(scope);
});
afterEach(() => scope.close());

/** Until all that was reported is written: nothing here waits for a clock. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10 * EVENT_LIMITS.waiting; turn += 1) await Promise.resolve();
}

test('a pod that is refused a certificate has a warning that says why and what to do', async () => {
  events.refused(POD, REFUSAL);
  await settled();
  expect(written).toMatchObject([
    {
      path: '/api/v1/namespaces/shop/events',
      event: {
        kind: 'Event',
        type: 'Warning',
        reason: 'CertificateRefused',
        involvedObject: { kind: 'Pod', namespace: 'shop', name: 'web-1', uid: 'uid-1' },
        source: { component: 'sallyport-controller' },
        reportingInstance: 'c-1',
        count: 1,
      },
    },
  ]);
  const message = String(written[0]?.event.message);
  expect(message).toContain('(token-used-with-another-key: token x of pod web-1)');
  expect(message).toContain(REFUSAL.reason.next);
});

test('the same is said again after ten minutes only, with how often it came', async () => {
  for (let time = 0; time < 100; time += 1) events.refused(POD, REFUSAL);
  await settled();
  expect(written).toHaveLength(1);
  await clock.advance(EVENT_LIMITS.againMilliseconds + 1);
  events.refused(POD, REFUSAL);
  await settled();
  expect(written.map(({ event }) => event.count)).toEqual([1, 100]);
});

test('ten thousand pods cause no more events than the budget, and no more memory than the bound', async () => {
  for (let index = 0; index < 10_000; index += 1) {
    events.refused({ ...POD, podUid: `uid-${index}` }, REFUSAL);
    if (index % 10 === 0) await settled();
  }
  await settled();
  expect(written).toHaveLength(EVENT_LIMITS.overall.burst);
});

test('what others wrote is cut and can not be obeyed by a terminal', async () => {
  events.refused(POD, { ...REFUSAL, detail: `\u001b[2J${'x'.repeat(5_000)}` });
  await settled();
  const message = String(written[0]?.event.message);
  expect(message.length).toBeLessThanOrEqual(EVENT_LIMITS.messageCharacters);
  expect(message).not.toContain('\u001b');
});

test('an API server that is away, or says no, stops nothing', async () => {
  answer = () => Promise.reject(new ApiUnavailable('x', 'refused'));
  events.refused(POD, REFUSAL);
  await settled();
  answer = () => Promise.resolve({ status: 403, body: {} });
  events.refused({ ...POD, podUid: 'uid-2' }, REFUSAL);
  await settled();
  answer = () => Promise.resolve({ status: 201, body: {} });
  events.refused({ ...POD, podUid: 'uid-3' }, REFUSAL);
  await settled();
  expect(written).toHaveLength(3);
});
