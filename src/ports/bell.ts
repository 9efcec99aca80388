/** A doorbell between roles (the queue): it may ring too often or not at all, and nothing but speed depends on it. */
export interface Bell {
  ring(topic: string): void;
  /** Resolves at the next ring of the topic, or after `timeoutMs`. */
  wait(topic: string, timeoutMs: number, signal: AbortSignal): Promise<void>;
}
