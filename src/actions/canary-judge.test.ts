import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CanaryTrial,
  type Course,
  counted,
  ERRORS,
  errors,
  HEAP,
  heap,
  isCanary,
  MINUTE,
  REQUESTS,
} from '../../test/support/canary-trial.ts';
import { expectKind } from '../../test/support/trial.ts';
import type { JsonObject } from '../lib/json.ts';

/** Nothing is let pass early of which no rise is allowed. */
const late = { metrics: [{ ...ERRORS, allowed: 0.001 }] };

test('a canary like its baseline passes before the time is over', async () => {
  const canary = new CanaryTrial(counted());
  const { outputs } = expectKind(await canary.finish(), 'done');
  assert.equal(outputs.verdict, 'pass');
  assert.ok(canary.minute < 20, `minute ${canary.minute}`);
  assert.match(String(outputs.reason), /^1 metric without harm/);
});

test('one that is worse fails, with the metric, its servers and since when', async () => {
  const canary = new CanaryTrial(counted(3));
  const { error, retryable } = expectKind(await canary.finish(), 'failed');
  assert.deepEqual([error.code, error.cause, retryable], ['canary_failed', 'canary', false]);
  assert.match(
    error.message,
    /^errors is [23](\.\d)? times that of the baseline .* from the start, which comes without harm in/,
  );
  assert.match(
    error.message,
    /The canary is web-1, web-2, compared with web-9, web-8 from 2026-01-01T00:01:00Z on\.$/,
  );
  assert.equal(canary.minute, 3);
  const { metrics = [], ...evidence } = error.evidence ?? {};
  const { beganMs } = canary;
  assert.deepEqual(evidence, {
    ...{ verdict: 'fail', steps: 3, stepMs: MINUTE, from: beganMs, at: beganMs + 3 * MINUTE },
  });
  assert.ok(Array.isArray(metrics));
  const [worse] = metrics;
  assert.partialDeepStrictEqual(worse, { name: 'errors', state: 'worse', since: beganMs });
});

test('harm in the middle is found in the middle', async () => {
  const canary = new CanaryTrial(counted(3, 20), late);
  const { error } = expectKind(await canary.finish(), 'failed');
  assert.match(error.message, /since step 2[01]/);
  assert.ok(canary.minute >= 21 && canary.minute <= 24, `minute ${canary.minute}`);
});

test('between two looks it holds no worker, and says how it stands', async () => {
  const canary = new CanaryTrial(counted(), late);
  const first = expectKind(await canary.attempt(), 'wait');
  assert.equal(first.progress, 'is judged from 2026-01-01T00:01:00.000Z on');
  assert.equal(first.wakeAfterMs, 2 * MINUTE + 20_000);
  await canary.trial.clock.advance(first.wakeAfterMs + 5_000);
  const second = expectKind(await canary.attempt(), 'wait');
  assert.equal(second.progress, 'step 1 of 60: 0 of 1 metric clear so far, and none worse');
  assert.equal(second.wakeAfterMs, MINUTE - 5_000);
});

test('a worker whose clock is slow judges nothing of before the canary had changed', async () => {
  const until = Date.UTC(2026, 0, 1, 0, 10);
  const bad: Course = (server, minute) => errors(minute < 9 ? 1 : 9)(server, minute);
  const canary = new CanaryTrial({ errors: bad, requests: REQUESTS }, late, { until });
  const first = expectKind(await canary.attempt(), 'wait');
  assert.equal(first.progress, 'is judged from 2026-01-01T00:11:00.000Z on');
  const { error } = expectKind(await canary.finish(), 'failed');
  assert.match(error.message, /from the start/);
});

test('what a canary does while it warms up, and while its servers change, is not judged', async () => {
  const bad: Course = (server, minute) => (minute >= -4 && minute < 0 ? 9_000 : errors()(server, minute));
  const canary = new CanaryTrial({ errors: bad, requests: REQUESTS });
  expectKind(await canary.finish(), 'done');
});

test('a takeover prolongs neither the warm-up nor anything else', async () => {
  const canary = new CanaryTrial(counted(), late);
  await canary.looks(2);
  await canary.trial.clock.advance(20 * MINUTE);
  const { progress } = expectKind(await canary.attempt(), 'wait');
  assert.match(progress ?? '', /^step 2[12] of 60/);
});

test('evidence that is too little to fail, and too much to pass, is unsure', async () => {
  // Worse, but not critical and of too little weight.
  const analysis = {
    metrics: [
      { ...ERRORS, critical: false, weight: 1 },
      { ...HEAP, critical: false, weight: 9 },
    ],
    ...{ failShare: 0.5, mostMs: 10 * MINUTE },
  };
  const courses = { ...counted(3), heap: heap(1) };
  const { error } = expectKind(await new CanaryTrial(courses, analysis).finish(), 'failed');
  assert.deepEqual([error.code, error.cause], ['canary_unsure', 'unsure']);
  assert.match(error.message, /neither shown nor ruled out: errors is/);
  const letPass = new CanaryTrial(courses, analysis, { goOn: ['unsure'] });
  const { outputs } = expectKind(await letPass.finish(), 'done');
  assert.equal(outputs.verdict, 'unsure');
});

test('a metric of which there is nothing is no data', async () => {
  const courses = { ...counted() };
  const analysis = { metrics: [ERRORS, { ...ERRORS, name: 'other', query: 'nothing', of: 'nobody' }] };
  const canary = new CanaryTrial(courses, analysis);
  const { error } = expectKind(await canary.finish(), 'failed');
  assert.deepEqual([error.code, error.cause], ['canary_no_data', 'no-data']);
  assert.match(error.message, /^There is no data of other\./);
  const { outputs } = expectKind(
    await new CanaryTrial(courses, analysis, { goOn: ['no data'] }).finish(),
    'done',
  );
  assert.equal(outputs.verdict, 'no data');
});

test('errors that never happened are counted as none where requests were', async () => {
  const never: Course = (server, minute) => (isCanary(server) && minute >= 0 ? 100 : undefined);
  const { error } = expectKind(
    await new CanaryTrial({ errors: never, requests: REQUESTS }).finish(),
    'failed',
  );
  assert.equal(error.code, 'canary_failed');
});

test('a source that does not answer for some steps is no data, and is named with since when', async () => {
  const canary = new CanaryTrial(counted(), late);
  await canary.looks(4);
  canary.source.setReachable(false);
  const { progress, wakeAfterMs } = expectKind(await canary.attempt(), 'wait');
  assert.equal(progress, 'waits for the source prom: The metrics in memory do not answer');
  await canary.trial.clock.advance(wakeAfterMs);
  const { error } = expectKind(await canary.finish(), 'failed');
  assert.equal(error.code, 'canary_no_data');
  assert.match(
    error.message,
    /^The source prom says nothing of what was after 2026-01-01T00:04:00\.000Z: The metrics in memory do not answer\. The canary is/,
  );
  assert.equal(canary.minute, 8);
});

test('a source that is back after an outage is judged by all that it has', async () => {
  const canary = new CanaryTrial(counted(3, 4), late);
  await canary.looks(4);
  canary.source.setReachable(false);
  await canary.looks(4);
  assert.equal(canary.minute, 8);
  canary.source.setReachable(true);
  const { error } = expectKind(await canary.finish(), 'failed');
  assert.equal(error.code, 'canary_failed');
  // As it would have been judged without the outage, in its middle.
  assert.equal(error.evidence?.steps, 5);
});

test('a source that is silent hides no harm that another shows', async () => {
  const quiet = { ...ERRORS, name: 'quiet', source: 'dead' };
  const canary = new CanaryTrial(counted(3), { metrics: [ERRORS, quiet] });
  const { error } = expectKind(await canary.finish(), 'failed');
  assert.deepEqual([error.code, error.evidence?.steps], ['canary_failed', 3]);
  const well = new CanaryTrial(counted(), { metrics: [ERRORS, quiet] });
  const { error: gone } = expectKind(await well.finish(), 'failed');
  assert.match(gone.message, /^The source dead says nothing of what was after/);
});

test('a query that its source refuses, or that cannot be filled, is no data at once', async () => {
  const because = async (metric: JsonObject) => {
    const canary = new CanaryTrial(counted(), { metrics: [{ ...ERRORS, ...metric }] });
    const { error } = expectKind(await canary.attempt(), 'failed');
    assert.equal(error.code, 'canary_no_data');
    assert.equal(canary.trial.output, '');
    return error.message;
  };
  assert.match(
    await because({ query: 'sum(' }),
    /^There is nothing to judge by: errors: "sum\(" is no query/,
  );
  assert.match(
    await because({ query: 'errors{a="{{sever}}"}' }),
    /errors: its query cannot be filled: .*Did you mean "server"\?/,
  );
  assert.match(
    await because({ source: 'prim' }),
    /no source of metrics is called prim\. Did you mean "prom"\?/,
  );
});

test('with {{server}} or {{zone}} in a query each is asked about by itself', async () => {
  const whole = expectKind(await new CanaryTrial(counted(3)).finish(), 'failed');
  for (const name of ['server', 'zone']) {
    const narrowed = (series: string) => `${series}{${name}="{{${name}}}"}`;
    const metric = { ...ERRORS, query: narrowed('errors'), of: narrowed('requests') };
    const canary = new CanaryTrial(counted(3), { metrics: [metric] });
    const asked: string[] = [];
    const { query } = canary.source;
    canary.source.query = (one, signal) => {
      asked.push(one.text);
      return query(one, signal);
    };
    assert.deepEqual(await canary.finish(), whole);
    assert.equal(new Set(asked).size, name === 'server' ? 8 : 4);
  }
});
