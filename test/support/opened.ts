/** What a function opens, with all that it defers to `ends`: that is ended at once if the opening fails. */
export async function opened<T>(open: (ends: AsyncDisposableStack) => Promise<T>): Promise<T> {
  const ends = new AsyncDisposableStack();
  try {
    return await open(ends);
  } catch (error) {
    await ends.disposeAsync();
    throw error;
  }
}
