/** Numbers and times as people read them. */

/** `0.82 ms`, `12.3 ms`, `1.2 s`. */
export function formatMilliseconds(milliseconds: number): string {
  if (milliseconds < 10) return `${milliseconds.toFixed(2)} ms`;
  if (milliseconds < 1_000) return `${milliseconds.toFixed(1)} ms`;
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}

/** Time that is left or has passed: `9 s`, `1:58`, `3 h 20 m`; `ended` when nothing is left. */
export function formatLeft(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1_000);
  if (seconds < 0) return 'ended';
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${String(seconds % 60).padStart(2, '0')}`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} m`;
}

/** The clock on the wall of whoever reads: `14:03:59`, with milliseconds `14:03:59.120`. */
export function formatTime(epochMilliseconds: number, milliseconds = false): string {
  const date = new Date(epochMilliseconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  const text = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return milliseconds ? `${text}.${String(date.getMilliseconds()).padStart(3, '0')}` : text;
}

/** Serial numbers have up to 40 digits; eight tell two of them apart. */
export function formatSerial(serial: string): string {
  return shortened(serial, 8);
}

/** The first code units of an id; half of a surrogate pair is no text and becomes U+FFFD. */
export function shortened(id: string, length: number): string {
  return id.slice(0, length).toWellFormed();
}

/** `1 rotation`, `2 rotations`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** TLS_AES_128_GCM_SHA256 without the prefix that every suite has. */
export function formatSuite(suite: string): string {
  return suite.replace(/^TLS_/, '');
}

/** What tells the SPIFFE IDs of one trust domain apart. */
export function pathOf(identity: string): string {
  return identity.replace(DOMAIN, '');
}

/** The path alone where room is short, but only of an identity of `own`'s trust domain: no stranger passes for one of ours. */
export function shortIdentity(identity: string, own: string, width: number): string {
  const ours = DOMAIN.exec(identity)?.[0] === DOMAIN.exec(own)?.[0];
  return ours && width < COLUMNS_FOR_WHOLE_IDENTITIES ? pathOf(identity) : identity;
}

const DOMAIN = /^spiffe:\/\/[^/]*/;
const COLUMNS_FOR_WHOLE_IDENTITIES = 160;
