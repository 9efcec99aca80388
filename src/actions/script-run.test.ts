import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expectKind, HOST, Trial } from '../../test/support/trial.ts';
import type { Behaviour } from '../adapters/memory/behaviour.ts';
import { sha256 } from '../lib/hash.ts';
import type { JsonObject } from '../lib/json.ts';
import type { RemoteTask } from '../ports/hosts.ts';
import { scriptRun } from './script-run.ts';

const CONTENT = '#!/bin/sh\necho "rows=1" >>"$EDGE_OUTPUTS"\n';
const script = {
  name: 'count',
  sha256: sha256(CONTENT),
  interpreter: ['/bin/sh', '-eu'],
  types: { table: { type: 'string', pattern: '[a-z]+' }, fast: { type: 'boolean' } },
  outputs: { rows: { type: 'integer', min: 0 } },
};
const inputs: JsonObject = {
  host: HOST,
  script,
  content: CONTENT,
  parameters: { table: 'users', fast: true },
};
const gives = (outputs: string, more: Partial<Behaviour> = {}) => ({
  program: () => ({ durationMs: 100, code: 0, outputs, ...more }),
});

describe('a script of a team', () => {
  test('is done with what it gave, by its types', async () => {
    const trial = new Trial(gives('rows=42\n'));
    assert.deepEqual(expectKind(await trial.attempt(scriptRun, inputs), 'done').outputs, { rows: 42 });
  });

  test('is sent with its digest, and finds parameters, release and place in its environment', async () => {
    const sent: RemoteTask[] = [];
    const trial = new Trial({
      program: (task) => {
        sent.push(task);
        return { durationMs: 1, code: 0, outputs: 'rows=1\n' };
      },
    });
    const release = { id: '2.0-ab', version: '2.0', hash: 'ab', artifacts: [] };
    const env = { MODE: 'night', EDGE_PARAM_TABLE: 'not this' };
    expectKind(await trial.attempt(scriptRun, { ...inputs, release, env, cwd: '/srv/web' }), 'done');
    const [task] = sent;
    assert.deepEqual(task?.argv, ['/bin/sh', '-eu']);
    assert.deepEqual(task.script, { content: CONTENT, sha256: script.sha256, outputsLimitBytes: 16_384 });
    assert.deepEqual(task.env, {
      ...{ MODE: 'night', EDGE_PARAM_TABLE: 'users', EDGE_PARAM_FAST: 'true' },
      ...{ EDGE_RELEASE: '2.0-ab', EDGE_VERSION: '2.0', EDGE_RELEASE_HASH: 'ab' },
      ...{ EDGE_DEPLOYMENT: 'd1', EDGE_TARGET: 'web-1', EDGE_STEP: 'step' },
    });
  });

  test('fails with its exit status, whatever it gave', async () => {
    const output = [{ atMs: 0, text: 'no such table\n' }];
    const trial = new Trial(gives('rows=1\n', { code: 4, output }));
    const { error, retryable } = expectKind(await trial.attempt(scriptRun, inputs), 'failed');
    assert.equal(error.code, 'command_failed');
    assert.match(error.message, /^The script count ended with exit status 4.*no such table/s);
    assert.equal(retryable, false);
  });

  test('fails for an output that is missing, of another type, or not declared, and is not run again', async () => {
    for (const [outputs, why] of [
      ['', /did not give rows/],
      ['rows=many\n', /rows is not a whole number/],
      ['rows=1\nmore=1\n', /did not declare/],
      [`rows=1\n${'\n'.repeat(17_000)}`, /more than 16384 bytes/],
    ] as const) {
      const trial = new Trial(gives(outputs));
      const { error, retryable } = expectKind(await trial.finish(scriptRun, inputs), 'failed');
      assert.equal(error.code, 'script_value');
      assert.match(error.message, why);
      assert.equal(retryable, false);
      assert.deepEqual([...trial.host.starts.values()], [1]);
    }
  });

  test('never gives a secret to a later step', async () => {
    const declared = { ...script, outputs: { key: { type: 'string', pattern: '.+' } } };
    const given = { ...inputs, script: declared, env: { KEY: { source: 'env', name: 'KEY' } } };
    const trial = new Trial({ ...gives('key=tr0ub4dor-3\n'), secrets: { KEY: 'tr0ub4dor-3' } });
    const { error } = expectKind(await trial.attempt(scriptRun, given), 'failed');
    assert.match(error.message, /its output key holds a secret/);
    assert.doesNotMatch(JSON.stringify(error), /tr0ub4dor/);
  });

  test('gives nothing where a secret that it may have read cannot be looked up', async () => {
    const trial = new Trial(gives('rows=1\n'));
    const mask = [{ source: 'file', name: '/run/key' }];
    const { error } = expectKind(await trial.attempt(scriptRun, { ...inputs, mask }), 'failed');
    assert.match(error.message, /may hold a secret that this worker cannot look up/);
  });

  test('is not started with another content than the planned one', async () => {
    const trial = new Trial(gives('rows=1\n'));
    const { error, retryable } = expectKind(
      await trial.attempt(scriptRun, { ...inputs, content: `${CONTENT}#` }),
      'failed',
    );
    assert.deepEqual([error.code, retryable], ['script_changed', false]);
    assert.equal(trial.host.starts.size, 0);
  });

  test('is not started with a value that is not of its type, such as one that another script gave', async () => {
    for (const [parameters, why] of [
      [{ table: '$(reboot)', fast: true }, /table .* is not a text that matches/],
      [{ table: 'users\nroot', fast: true }, /table .* is not text in one line/],
      [{ table: 'users', fast: 'yes' }, /fast .* is not true or false/],
      [{ table: 'users' }, /fast .* is not true or false/],
      [{ table: 'users', fast: true, more: 1 }, /more .* is not declared/],
    ] as const) {
      const trial = new Trial(gives('rows=1\n'));
      const { error } = expectKind(await trial.attempt(scriptRun, { ...inputs, parameters }), 'failed');
      assert.equal(error.code, 'script_value');
      assert.match(error.message, why);
      assert.equal(trial.host.starts.size, 0);
    }
  });

  test('runs once though its worker dies, and the next one has all that it gave', async () => {
    const output = [1, 2, 3].map((n) => ({ atMs: n * 1_000, text: `line ${n}\n` }));
    for (const at of ['before-save', 'after-save', 'after-output'] as const) {
      const trial = new Trial(gives('rows=7\n', { durationMs: 4_000, output }));
      await trial.attempt(scriptRun, inputs, { crash: { at } });
      assert.deepEqual(expectKind(await trial.finish(scriptRun, inputs), 'done').outputs, { rows: 7 });
      assert.deepEqual([...trial.host.starts.values()], [1]);
      assert.equal(trial.output, 'line 1\nline 2\nline 3\n');
    }
  });

  test('is asked for by a person when nobody saw its end', async () => {
    const trial = new Trial(gives('rows=1\n', { durationMs: 5_000 }));
    trial.at(1_000, () => trial.host.reboot());
    expectKind(await trial.finish(scriptRun, inputs), 'unknown');
    assert.deepEqual([...trial.host.starts.values()], [1]);
  });

  test('fails where its host cannot start it, and is unknown only if it was sent before', async () => {
    const trial = new Trial(gives('rows=1\n'));
    trial.host.isDiskFull = true;
    const { error } = expectKind(await trial.attempt(scriptRun, inputs), 'failed');
    assert.equal(error.code, 'host_unfit');
    assert.match(error.message, /^Nothing was started on web-1: the disk is full\. /);
    const other = new Trial(gives('rows=1\n'));
    await other.attempt(scriptRun, inputs, { crash: { at: 'after-save' } });
    other.host.isDiskFull = true;
    expectKind(await other.finish(scriptRun, inputs), 'unknown');
  });

  test('is ended with its processes when it is cancelled', async () => {
    const trial = new Trial(gives('rows=1\n', { durationMs: 600_000 }));
    const worker = new AbortController();
    trial.at(1_000, () => worker.abort(new Error('gone')));
    await assert.rejects(trial.attempt(scriptRun, inputs, { signal: worker.signal }), /gone/);
    assert.equal((await trial.cancel(scriptRun, inputs)).gone, true);
    assert.deepEqual(trial.host.running(), []);
  });

  test('shows its newest line of progress, which stays in the log', async () => {
    const text = 'a\n::edge progress 10% copying\n::edge progress 20% copying\nb\n';
    const trial = new Trial(gives('rows=1\n', { output: [{ atMs: 0, text }] }));
    expectKind(await trial.attempt(scriptRun, inputs), 'done');
    assert.deepEqual(trial.progress, ['20% copying']);
    assert.equal(trial.output, text);
  });
});
