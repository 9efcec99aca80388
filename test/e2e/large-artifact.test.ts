import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { fanOut } from '../support/artifact-fan-out.ts';

const sshd = requireService('sshd');
const SIZE = 64 * 1024 ** 2;

test('«an artifact is pulled once per pool, kept, and fanned out»: a large one, gone on with after a kill, and right on each', {
  skip: sshd.skip ?? false,
}, async () => {
  const options = { sshdPath: sshd.path ?? '', network: '127.72.33', targets: 4 };
  const seen = await fanOut({ ...options, sizeBytes: SIZE });
  assert.deepEqual([seen.pulls, seen.resumed, seen.digestsRight], [1, true, true]);
  assert.ok(seen.serverPeakMb < 200, `the server has had ${seen.serverPeakMb} MB`);
  assert.ok(seen.workerPeakMb < 200, `the worker has had ${seen.workerPeakMb} MB`);
});
