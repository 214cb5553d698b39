/** gRPC's Length-Prefixed-Message: a flag of no compression, four bytes of length, the message. */
export function frame(message: string): Buffer {
  const body = Buffer.from(message);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

/** Finds the messages in what comes, however it is cut. */
export class Frames {
  #rest: Buffer = Buffer.alloc(0);

  read(chunk: Buffer): string[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const messages: string[] = [];
    while (this.#rest.length >= 5) {
      const end = 5 + this.#rest.readUInt32BE(1);
      if (this.#rest.length < end) break;
      messages.push(this.#rest.subarray(5, end).toString());
      this.#rest = this.#rest.subarray(end);
    }
    return messages;
  }
}
