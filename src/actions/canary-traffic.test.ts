import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BEHIND_BALANCER,
  CanaryTrial,
  COUNTED_ERRORS,
  type Course,
  counted,
  ERRORS,
  errors,
  MINUTE,
  REQUESTS,
} from '../../test/support/canary-trial.ts';
import { expectKind } from '../../test/support/trial.ts';
import { CanaryJudge } from '../analysis/anytime/canary-judge.ts';
import { canaryTimeOf } from '../analysis/canary-time.ts';
import { rulesOf } from '../analysis/judged.ts';
import { samplesIn, stepsOf } from '../cli/samples.ts';
import { analysisSchema } from '../domain/analysis.ts';
import type { JsonObject } from '../lib/json.ts';

const late = { allowed: 0.001 };
const behind = (courses: Readonly<Record<string, Course>>, metric: JsonObject = {}, more: JsonObject = {}) =>
  new CanaryTrial(
    courses,
    { metrics: [{ ...COUNTED_ERRORS, ...metric }], ...more },
    { sources: {}, ...BEHIND_BALANCER },
  );

/** How often the balancer was read. */
function readingsOf({ statistics }: CanaryTrial): { count: number } {
  const seen = { count: 0 };
  const { read } = statistics;
  statistics.read = (members, signal) => {
    seen.count += 1;
    return read(members, signal);
  };
  return seen;
}

test('where nothing is measured a canary is judged by what its balancer counts', async () => {
  const { outputs } = expectKind(await behind(counted()).finish(), 'done');
  assert.equal(outputs.verdict, 'pass');
  const worse = behind(counted(3));
  const { error } = expectKind(await worse.finish(), 'failed');
  assert.equal(error.code, 'canary_failed');
  assert.match(error.message, /^errors is [23](\.\d)? times that of the baseline .* from the start/);
  assert.equal(worse.minute, 3);
});

test('what it counted of the change and of the warm-up is not judged', async () => {
  const bad: Course = (server, minute) => (minute < 0 ? 9_000 : errors()(server, minute));
  expectKind(await behind({ errors: bad, requests: REQUESTS }).finish(), 'done');
});

test('each look is one reading, and the samples that were decided on are its output, of each side', async () => {
  const canary = behind(counted(3));
  const seen = readingsOf(canary);
  await canary.finish();
  // In the warm-up, at its end, and after each of three steps.
  assert.equal(seen.count, 5);
  const lines = canary.trial.output.trimEnd().split('\n');
  assert.equal(lines.length, 1 + 3 * 2);
  assert.match(lines[1] ?? '', /^2026-01-01T00:01:00Z,errors,canary,all 2 servers,\d{3},20000$/);
  assert.match(lines[2] ?? '', /^2026-01-01T00:01:00Z,errors,baseline,all 2 servers,\d{3},20000$/);
});

test('the samples give the same verdict again, years later', async () => {
  const canary = behind(counted(3, 5), late);
  const { error } = expectKind(await canary.finish(), 'failed');
  const { beganMs } = canary;
  const { history, steps, metrics } = stepsOf(samplesIn(canary.trial.output, 'log'), {
    stepMs: MINUTE,
    beganMs,
  });
  assert.deepEqual([history, metrics.map(({ name, kind }) => [name, kind])], [0, [['errors', 'counts']]]);
  const analysis = analysisSchema.parse({ metrics: [{ ...COUNTED_ERRORS, ...late }] });
  const judge = new CanaryJudge(rulesOf(analysis, canaryTimeOf(analysis, { beganMs, sinceMs: null })), {});
  for (let step = 0; step < steps; step += 1) {
    assert.equal(judge.judge().verdict, 'undecided');
    judge.add(Object.fromEntries(metrics.map((metric) => [metric.name, metric.steps[step]])));
  }
  assert.deepEqual([judge.judge().verdict, steps], ['fail', error.evidence?.steps]);
});

test('a takeover between two looks goes on from what was counted, and reads nothing twice into it', async () => {
  const whole = behind(counted(2), late);
  const told = expectKind(await whole.finish(), 'failed');
  const canary = behind(counted(2), late);
  await canary.looks(3);
  // Its owner has read, and died before anybody knew; the next one comes a little later.
  const kept = canary.trial.checkpoint;
  await canary.attempt();
  canary.trial.checkpoint = kept;
  await canary.trial.clock.advance(10_000);
  assert.deepEqual(await canary.finish(), told);
  assert.deepEqual(canary.trial.output, whole.trial.output);
});

test('a look that comes late gives one longer step, and nothing is shared out among those that nobody has seen', async () => {
  const canary = behind(counted(), late);
  await canary.looks(3);
  await canary.trial.clock.advance(2 * MINUTE);
  const { checkpoint } = expectKind(await canary.attempt(), 'wait');
  const { steps } = (checkpoint as { traffic: { steps: string } }).traffic;
  assert.match(steps, /^\S+\|\S+ - - \S+\|\S+$/);
  const requests = steps.split(' ').map((step) => Number.parseInt(step.split('.')[0] ?? '', 36));
  assert.deepEqual(requests, [20_000, Number.NaN, Number.NaN, 60_000]);
});

test('a balancer that begins again leaves a gap, which is neither zero nor an error', async () => {
  const canary = behind(counted(3, 10), late);
  await canary.looks(4);
  canary.statistics.restart();
  const { error } = expectKind(await canary.finish(), 'failed');
  assert.equal(error.code, 'canary_failed');
  assert.match(error.message, /since step 11/);
  const third = canary.trial.output.split('\n').filter((line) => line.startsWith('2026-01-01T00:03:00Z'));
  assert.deepEqual(
    third.map((line) => line.split(',').slice(4)),
    [
      ['', '0'],
      ['', '0'],
    ],
  );
});

test('one that counts no errors is no data at once, in its own words', async () => {
  const canary = behind(counted(3));
  const f5 = { kind: 'f5', url: 'https://f5.example.net', username: 'edge', partition: 'Common' };
  const front = { ...f5, password: { source: 'env', name: 'P' }, loginProvider: 'tmos', tls: 'system' };
  const trial = new CanaryTrial(
    counted(3),
    { metrics: [COUNTED_ERRORS] },
    { sources: {}, ...BEHIND_BALANCER, balancers: { front } },
  );
  const { error } = expectKind(await trial.attempt(), 'failed');
  assert.equal(error.code, 'canary_no_data');
  assert.match(error.message, /^There is nothing to judge by: F5 BIG-IP counts no errors of its members\./);
  canary.statistics.read = async () => ({ kind: 'unknown', why: 'The backend web is in TCP mode' });
  assert.match(
    expectKind(await canary.attempt(), 'failed').error.message,
    /nothing to judge by: The backend web is in TCP mode\./,
  );
});

test('one that does not answer is looked at again, and is no data after some steps', async () => {
  const back = behind(counted(3, 4), late);
  await back.looks(4);
  back.statistics.setReachable(false);
  const { progress } = expectKind(await back.attempt(), 'wait');
  assert.match(progress ?? '', /^waits for the balancer: the balancer in memory is off/);
  await back.looks(1);
  back.statistics.setReachable(true);
  assert.equal(expectKind(await back.finish(), 'failed').error.code, 'canary_failed');
  const gone = behind(counted(), late);
  await gone.looks(4);
  gone.statistics.setReachable(false);
  const { error } = expectKind(await gone.finish(), 'failed');
  assert.equal(error.code, 'canary_no_data');
  assert.match(
    error.message,
    /^The balancer says nothing of what was after 2026-01-01T00:03:00\.000Z: the balancer in memory is off\./,
  );
  // What it had said before is what was decided on.
  assert.match(gone.trial.output, /2026-01-01T00:02:00Z,errors,canary/);
});

test('metrics of a source and of a balancer are judged together, each with its own harm', async () => {
  const both = (courses: Readonly<Record<string, Course>>, asked: JsonObject, read: JsonObject) =>
    new CanaryTrial(
      courses,
      {
        metrics: [
          { ...ERRORS, ...asked },
          { ...COUNTED_ERRORS, ...read },
        ],
      },
      BEHIND_BALANCER,
    );
  const well = both(counted(), { name: 'asked' }, {});
  const { outputs } = expectKind(await well.finish(), 'done');
  assert.match(String(outputs.reason), /^2 metrics without harm/);
  assert.match(well.trial.output, /,asked,canary,1 web-1,/);
  assert.match(well.trial.output, /,errors,canary,all 2 servers,/);
  // Of a metric that is asked for nobody says anything is worse; the balancer does.
  const never = { name: 'asked', query: 'quiet' };
  const quiet: Course = () => 100;
  const worse = both({ ...counted(3), quiet }, never, {});
  const { error } = expectKind(await worse.finish(), 'failed');
  assert.match(error.message, /^errors is/);
  // A balancer that is silent hides no harm that the source shows.
  const dark = both(counted(3), { name: 'asked' }, {});
  dark.statistics.setReachable(false);
  assert.match(expectKind(await dark.finish(), 'failed').error.message, /^asked is/);
});

test('without a pool that could be read there is nothing to judge by', async () => {
  const canary = new CanaryTrial(counted(), { metrics: [COUNTED_ERRORS] }, { sources: {} });
  const { error } = expectKind(await canary.attempt(), 'failed');
  assert.match(error.message, /no server that is compared is a member of a pool/);
});
