import { afterEach } from 'node:test';

/** Starts what ends with the test that it was started in. */
export function perTest<Settings extends readonly unknown[], Started extends { dispose(): Promise<void> }>(
  start: (...settings: Settings) => Promise<Started>,
): (...settings: Settings) => Promise<Started> {
  const open: Started[] = [];
  afterEach(async () => {
    for (const started of open.splice(0)) await started.dispose();
  });
  return async (...settings) => {
    const started = await start(...settings);
    open.push(started);
    return started;
  };
}
