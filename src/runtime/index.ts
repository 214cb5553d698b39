export { Backoff, type BackoffConfig } from './backoff.ts';
export { concat, EMPTY, equal, fromAscii, fromHex, toHex } from './bytes.ts';
export { type Clock, sleep, systemClock } from './clock.ts';
export { whyUnreadable } from './file-error.ts';
export { type Fields, jsonLog, type Log, type LogLevel, silentLog } from './log.ts';
export { err, ok, type Result } from './result.ts';
export { Scope, ScopeClosed } from './scope.ts';
export { printable } from './text.ts';
export { type ReadableWatch, Watch } from './watch.ts';
