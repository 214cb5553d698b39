import { ApiError } from './api-error.ts';

/**
 * Text by lines. What follows the last line end when the answer ends is the beginning of a line whose rest was lost: it
 * is left out. Throws ApiError `malformed` for a line longer than `longestBytes`.
 */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  longestBytes: number,
): AsyncGenerator<string> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      parts.push(chunk.subarray(from, end));
      from = end + 1;
      const line = Buffer.concat(parts).toString('utf8');
      parts = [];
      length = 0;
      if (line.trim() !== '') yield line;
    }
    const rest = chunk.subarray(from);
    length += rest.length;
    if (length > longestBytes) throw new ApiError('malformed', `a line is longer than ${longestBytes} bytes`);
    if (rest.length > 0) parts.push(rest);
  }
}

const LINE_FEED = 0x0a;
