import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { edge, jsonOf } from '../support/edge-process.ts';
import { processesWith } from '../support/processes.ts';
import { withTemporaryFolder } from '../support/temporary-folder.ts';

type Summary = {
  readonly deployments: readonly {
    readonly id: string;
    readonly version: string;
    readonly verb: string;
    readonly status: string;
    readonly causedBy: string | null;
    readonly durationMs: number;
  }[];
  readonly requests: { readonly total: number; readonly failed: number; readonly errors: number };
  readonly commands: { readonly planned: number; readonly startedMoreThanOnce: number };
};

test('the demo shows what it promises, says so in its last line, and leaves nothing behind', async (t) => {
  await withTemporaryFolder(async (folder) => {
    const end = await edge(['demo', '--once', '--json'], { env: { TMPDIR: folder } });
    assert.equal(end.status, 0, end.stdout + end.stderr);
    const { deployments, requests, commands } = jsonOf(end) as Summary;
    t.diagnostic(`${JSON.stringify({ deployments, requests, commands })}`);
    assert.deepEqual(
      deployments.map(({ version, verb, status }) => `${verb} ${version} ${status}`),
      [
        ...['deploy v1 succeeded', 'deploy v2 succeeded', 'deploy v3 failed', 'rollback v2 succeeded'],
        ...['deploy v4 failed', 'rollback v2 succeeded'],
      ],
    );
    assert.equal(deployments[3]?.causedBy, deployments[2]?.id);
    assert.equal(deployments[5]?.causedBy, deployments[4]?.id);
    assert.ok(deployments.every(({ durationMs }) => durationMs > 0));
    assert.ok(requests.total > 0);
    assert.equal(requests.failed, 0);
    assert.ok(requests.errors > 0);
    assert.ok(commands.planned > 0);
    assert.equal(commands.startedMoreThanOnce, 0);
    assert.deepEqual(await processesWith(folder), []);
    assert.deepEqual(await readdir(folder), []);
  });
});
