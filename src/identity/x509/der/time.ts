import { X509Error } from '../problem.ts';
import type { DerReader } from './reader.ts';
import { TAG, tagText } from './tag.ts';

const UTC_TIME = /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/;
const GENERALIZED_TIME = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/;
/** RFC 5280 4.1.2.5: dates through 2049 are UTCTime, later ones GeneralizedTime. */
const FIRST_GENERALIZED_YEAR = 2050;

/** Time of RFC 5280 4.1.2.5.1 and 4.1.2.5.2: seconds present, "Z", no fractions. Milliseconds since the Unix epoch. */
export function readTime(reader: DerReader, what: string): number {
  const element = reader.any(what);
  const text = String.fromCharCode(...reader.contents(element));
  if (element.tag === TAG.utcTime) {
    const fields = numbers(UTC_TIME.exec(text));
    const year = fields?.[0];
    // RFC 5280 4.1.2.5.1: YY of 50 and above is 19YY, below is 20YY.
    if (fields !== undefined && year !== undefined) fields[0] = year >= 50 ? 1900 + year : 2000 + year;
    return milliseconds(fields, element.start, what, text);
  }
  if (element.tag === TAG.generalizedTime) {
    const fields = numbers(GENERALIZED_TIME.exec(text));
    if (fields?.[0] !== undefined && fields[0] < FIRST_GENERALIZED_YEAR) {
      throw new X509Error(element.start, `${what} is a GeneralizedTime before ${FIRST_GENERALIZED_YEAR}`);
    }
    return milliseconds(fields, element.start, what, text);
  }
  throw new X509Error(
    element.start,
    `${what} should be a UTCTime or GeneralizedTime, found ${tagText(element.tag)}`,
  );
}

/** GeneralizedTime of any year, as OCSP has it (RFC 6960 4.2.2.1): otherwise as above. */
export function readGeneralizedTime(reader: DerReader, what: string): number {
  const element = reader.expect(TAG.generalizedTime, what);
  const text = String.fromCharCode(...reader.contents(element));
  return milliseconds(numbers(GENERALIZED_TIME.exec(text)), element.start, what, text);
}

/** The text and tag that `readTime` reads back. `time` is cut to whole seconds. */
export function timeText(time: number): { readonly tag: number; readonly text: string } {
  const [date = '', clock = ''] = new Date(time).toISOString().split('T');
  const text = `${date.replaceAll('-', '')}${clock.slice(0, 8).replaceAll(':', '')}Z`;
  const year = new Date(time).getUTCFullYear();
  return year < FIRST_GENERALIZED_YEAR
    ? { tag: TAG.utcTime, text: text.slice(2) }
    : { tag: TAG.generalizedTime, text };
}

function numbers(match: RegExpExecArray | null): number[] | undefined {
  return match?.slice(1).map(Number);
}

function milliseconds(fields: number[] | undefined, offset: number, what: string, text: string): number {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = fields ?? [];
  const time = Date.UTC(year, month - 1, day, hour, minute, second);
  const date = new Date(time);
  // Date.UTC carries February 30 over into March; a real date comes back as it went in. Leap seconds do not.
  const kept =
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second;
  if (fields === undefined || !kept)
    throw new X509Error(offset, `${what} is no date: ${JSON.stringify(text)}`);
  return time;
}
