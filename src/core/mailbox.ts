/** Values handed from a listener to a reader, in order. */
export interface Mailbox<Value extends object> {
  put(value: Value): void;
  /** Ends after the values that are in it. */
  close(): void;
  /** The next value, when there is one; undefined at the end. For one reader. */
  next(): Promise<Value | undefined>;
}

/** A mailbox for one reader. It is no iterable: an object with a symbol for its key is slow to make, and one is made at each request. */
export function createMailbox<Value extends object>(): Mailbox<Value> {
  const values: Value[] = [];
  const state = { closed: false, wake: () => {} };
  return {
    put(value) {
      values.push(value);
      state.wake();
    },
    close() {
      state.closed = true;
      state.wake();
    },
    async next() {
      for (;;) {
        const value = values.shift();
        if (value !== undefined || state.closed) return value;
        await new Promise<void>((resolve) => (state.wake = resolve));
      }
    },
  };
}

/** The values of a mailbox as they come, until its end. */
export async function* valuesOf<Value extends object>(box: Mailbox<Value>): AsyncGenerator<Value> {
  for (let value = await box.next(); value !== undefined; value = await box.next()) yield value;
}
