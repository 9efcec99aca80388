/** Unpredictable bytes, for what must not be guessed. */
export interface Random {
  bytes(count: number): Uint8Array;
}
