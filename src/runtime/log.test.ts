import { expect, test } from 'vitest';
import { jsonLog } from './log.ts';

test('a line is one JSON object with level, time, message and all fields', () => {
  const lines: string[] = [];
  const log = jsonLog('info', (line) => lines.push(line)).with({ service: 'web' });
  log.debug('below the level');
  log.warn('refused', { reason: 'certificate-expired', text: 'two\nlines' });
  expect(lines).toHaveLength(1);
  const entry = JSON.parse(lines[0]!) as { time: string };
  expect(entry).toMatchObject({
    level: 'warn',
    message: 'refused',
    service: 'web',
    reason: 'certificate-expired',
    text: 'two\nlines',
  });
  expect(Date.parse(entry.time)).not.toBeNaN();
  expect(lines[0]!.trimEnd()).not.toContain('\n');
});
