/** True when `text` has no character outside `allowed` (which holds single code units). */
export function consistsOf(text: string, allowed: ReadonlySet<string>): boolean {
  for (let at = 0; at < text.length; at += 1) if (!allowed.has(text[at] ?? '')) return false;
  return true;
}
