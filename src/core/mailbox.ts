/** Values handed from a listener to a reader, in order. */
export interface Mailbox<Value> {
  put(value: Value): void;
  /** Ends after the values that are in it. */
  close(): void;
  read(): AsyncGenerator<Value>;
}

/** A mailbox for one reader. */
export function createMailbox<Value>(): Mailbox<Value> {
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
    async *read() {
      for (;;) {
        const value = values.shift();
        if (value !== undefined) yield value;
        else if (state.closed) return;
        else await new Promise<void>((resolve) => (state.wake = resolve));
      }
    },
  };
}
