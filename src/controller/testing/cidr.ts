import { type Cidr, parseCidr } from '#policy';

/** A network that a test wrote rightly. */
export function cidr(text: string): Cidr {
  const parsed = parseCidr(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}
