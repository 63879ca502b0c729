/** Values handed from a listener to a reader, in order. */
export interface Mailbox<Value> {
  put(value: Value): void;
  /** Ends after the values that are in it. */
  close(): void;
  read(): AsyncIterable<Value>;
}

/** A mailbox for one reader. */
export function createMailbox<Value>(): Mailbox<Value> {
  const values: Value[] = [];
  const state = { closed: false, wake: () => {} };
  async function next(): Promise<IteratorResult<Value, undefined>> {
    for (;;) {
      const value = values.shift();
      if (value !== undefined) return { done: false, value };
      if (state.closed) return { done: true, value: undefined };
      await new Promise<void>((resolve) => (state.wake = resolve));
    }
  }

  return {
    put(value) {
      values.push(value);
      state.wake();
    },
    close() {
      state.closed = true;
      state.wake();
    },
    // Not a generator: a value would take more steps on its way through one.
    read: () => ({ [Symbol.asyncIterator]: () => ({ next }) }),
  };
}
