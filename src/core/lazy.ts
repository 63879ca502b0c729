/** A value made when it is first asked for, once; a failure is not kept. */
export interface Lazy<Value> {
  (): Promise<Value>;
  /** The value; undefined when nobody asked for it, or when it could not be made. */
  made(): Promise<Value | undefined>;
}

/** A value that is made when it is first asked for. */
export function lazily<Value>(make: () => Promise<Value>): Lazy<Value> {
  const state: { value: Promise<Value> | undefined } = { value: undefined };
  const get = async (): Promise<Value> => {
    state.value ??= make();
    try {
      return await state.value;
    } catch (error) {
      state.value = undefined;
      throw error;
    }
  };
  return Object.assign(get, { made: async () => state.value?.catch(() => undefined) });
}
