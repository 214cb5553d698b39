import type { Refusal } from '#handshake';
import { INTERCEPT_REASONS } from './reason.ts';
import type { ToolResult } from './tool.ts';

/** What a tool said when it did not do as it was told. */
export function refusedBy(tool: string, result: Extract<ToolResult, { kind: 'ended' }>): Refusal {
  const said = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(0, MOST_LINES).join(' / ');
  const how = result.code === null ? 'was stopped' : `ended with ${result.code}`;
  return {
    reason: INTERCEPT_REASONS['packet-filter-refused'],
    detail: `${tool} ${how}${said === '' ? '' : `: ${said}`}`,
  };
}

/** A change failed, and what it had changed could not be put back. */
export function uncertain(failed: Refusal, undoing: Refusal): Refusal {
  return {
    reason: INTERCEPT_REASONS['packet-filter-uncertain'],
    detail: `${failed.detail}; putting the rules back: ${undoing.detail}`,
  };
}

const MOST_LINES = 6;
