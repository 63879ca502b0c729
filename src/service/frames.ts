/** Most bytes of one frame: a page of an export fits, a runaway peer does not. */
const largest = 64 * 1024 * 1024;

const headBytes = 4;

/** A value as it travels: its length in bytes (32 bits, big-endian), then its JSON in UTF-8. Throws for one that is too large. */
export function encodeFrame(value: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(value), "utf8");
  if (body.length > largest) throw new Error(`A frame of ${body.length} bytes is too large.`);
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE(body.length);
  return Buffer.concat([head, body]);
}

/** Puts frames together from pieces. `push` gives the values that are whole; it throws for what is no frame of ours. */
export function createDecoder(): { push(piece: Uint8Array): unknown[] } {
  const state = { rest: new Array<Uint8Array>(), size: 0 };

  function take(): unknown[] {
    const all = Buffer.concat(state.rest);
    const values: unknown[] = [];
    let at = 0;
    while (all.length - at >= headBytes) {
      const length = all.readUInt32BE(at);
      if (length > largest) throw new Error(`A frame of ${length} bytes is too large.`);
      if (all.length - at - headBytes < length) break;
      values.push(JSON.parse(all.toString("utf8", at + headBytes, at + headBytes + length)));
      at += headBytes + length;
    }
    state.rest = [all.subarray(at)];
    state.size = missing(all, at);
    return values;
  }

  /** Bytes without which no further frame is whole. */
  function missing(all: Buffer, at: number): number {
    const left = all.length - at;
    return left < headBytes ? headBytes - left : all.readUInt32BE(at) + headBytes - left;
  }

  return {
    push(piece) {
      state.rest.push(piece);
      state.size -= piece.length;
      // Pieces are joined only when they complete a frame: joining at each would take quadratic time.
      return state.size > 0 ? [] : take();
    },
  };
}
