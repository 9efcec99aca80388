import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { runDetachedChaos } from '../support/detached-chaos.ts';

const { path: sshdPath = '', skip = false } = requireService('sshd');

const TRANSPORTS = [
  { name: 'by the library', network: '127.73.1', seed: 20, how: {} },
  { name: "by the system's client", network: '127.73.2', seed: 21, how: { transport: 'openssh' } },
] as const;

for (const { name, ...by } of TRANSPORTS) {
  test(`tasks run at most once and say the truth, whatever breaks on the way, ${name}`, {
    skip,
  }, async () => {
    const figures = await runDetachedChaos({
      ...by,
      sshdPath,
      tasks: 24,
      hosts: 3,
      parallel: 12,
      maxSeconds: 3,
      maxOutputBytes: 4_000_000,
      kills: 4,
      cancels: 4,
    });
    const { errors, leftRunning, ranMoreThanOnce, wrongExit, wrongOutput, falseSuccesses } = figures;
    assert.deepEqual(
      { errors, leftRunning, ranMoreThanOnce, wrongExit, wrongOutput, falseSuccesses },
      { errors: [], leftRunning: 0, ranMoreThanOnce: 0, wrongExit: 0, wrongOutput: 0, falseSuccesses: 0 },
    );
    assert.ok(figures.cuts + figures.workersKilled >= 24 && figures.cancels === 4, JSON.stringify(figures));
  });
}
