import type { Store } from '../../src/adapters/sql/ports.ts';

/** A store for one test, empty, with a clock that stands still until the test moves it. */
export type TestStore = Store & {
  readonly now: () => number;
  readonly advance: (ms: number) => void;
  /** Another process on the same state, or the same store where there is none. */
  readonly second: () => Promise<Store>;
  /** Resolves when the drivers' topic of the doorbell rings. */
  readonly driverWoken: () => Promise<void>;
  readonly dispose: () => Promise<void>;
};

export type OpenStore = () => Promise<TestStore>;

/** Opens a store around a test. */
export const using =
  (open: OpenStore) => (body: (store: TestStore) => Promise<void>) => async (): Promise<void> => {
    const store = await open();
    try {
      await body(store);
    } finally {
      await store.dispose();
    }
  };

/** One moment for the stores of tests. */
export const START = 1_800_000_000_000;
