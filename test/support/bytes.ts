import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';

/** Everything that a stream brings until its ordinary end. */
export function readAll(stream: Readable): Promise<Buffer> {
  return read(stream, () => false);
}

/** At least that many bytes. The stream goes on flowing afterwards. */
export function readBytes(stream: Readable, length: number): Promise<Buffer> {
  return read(stream, (_, total) => total >= length);
}

/** What comes until a line feed, without it: the first line of what is not read yet. */
export async function readLine(stream: Readable): Promise<string> {
  const bytes = await read(stream, (chunk) => chunk.includes(LINE_FEED));
  return bytes.toString('latin1').split('\n')[0] ?? '';
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const LINE_FEED = 0x0a;

/** Not `for await`: that destroys the stream at its end, and with it the other direction. */
function read(stream: Readable, enough: (chunk: Buffer, total: number) => boolean): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let total = 0;
    const settle = (outcome: () => void): void => {
      stream.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose);
      stream.resume();
      outcome();
    };
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      total += chunk.length;
      if (enough(chunk, total)) onEnd();
    };
    const onEnd = (): void => settle(() => resolve(Buffer.concat(chunks)));
    const onError = (error: Error): void => settle(() => reject(error));
    const onClose = (): void => settle(() => reject(new Error(`closed after ${total} bytes`)));
    stream.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
  });
}
