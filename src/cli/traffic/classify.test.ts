import { expect, test } from 'vitest';
import { type Answer, classify, type Expectation } from './classify.ts';

const permitted: Expectation = { epoch: 1, forbidden: [] };
const forbidden: Expectation = { epoch: 1, forbidden: [{ from: 'web', to: 'payments' }] };
const status = (code: number): Answer => ({ kind: 'status', status: code });
const none: Answer = { kind: 'none', error: 'ECONNRESET' };

test.each([
  ['permitted and answered', permitted, status(200), false, 'ok'],
  ['permitted, and the service knows no such page', permitted, status(404), false, 'ok'],
  ['permitted, but a service could not reach the next', permitted, status(502), false, 'failed'],
  ['permitted, but there was no answer', permitted, none, false, 'failed'],
  ['forbidden and stopped on the way', forbidden, status(502), false, 'denied'],
  ['forbidden and reset', forbidden, none, true, 'denied'],
  ['forbidden but answered', forbidden, status(200), false, 'passed'],
  [
    'forbidden, sent straight into the sidecar, and a service answered',
    forbidden,
    status(502),
    true,
    'passed',
  ],
] as const)('%s', (_, expectation, answer, direct, outcome) => {
  expect(classify({ before: expectation, after: expectation, answer, direct })).toBe(outcome);
});

test('a request during which the policies changed says nothing', () => {
  for (const answer of [status(200), status(502), none]) {
    const after = { epoch: 2, forbidden: [] };
    expect(classify({ before: forbidden, after, answer, direct: false })).toBe('undecided');
  }
});
