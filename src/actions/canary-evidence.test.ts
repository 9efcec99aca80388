import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CanaryTrial, counted, ERRORS, HEAP, heap, MINUTE } from '../../test/support/canary-trial.ts';
import { expectKind } from '../../test/support/trial.ts';
import { CanaryJudge } from '../analysis/anytime/canary-judge.ts';
import { canaryTimeOf } from '../analysis/canary-time.ts';
import { rulesOf } from '../analysis/judged.ts';
import { samplesIn, stepsOf } from '../cli/samples.ts';
import { analysisSchema } from '../domain/analysis.ts';

for (const [title, courses, analysis] of [
  ['a failure', counted(3), {}],
  ['a pass', counted(), {}],
  ['a gauge that is worse', { ...counted(), heap: heap(3, 5) }, { metrics: [ERRORS, HEAP] }],
] as const)
  test(`the samples of ${title} are its output, and give the same verdict again`, async () => {
    const canary = new CanaryTrial(courses, { ...analysis });
    const outcome = await canary.finish();
    const told = outcome.kind === 'failed' ? outcome.error.evidence : expectKind(outcome, 'done').outputs;
    const { verdict, steps } = replayed(canary, { metrics: [ERRORS], ...analysis });
    assert.deepEqual({ verdict, steps }, { verdict: told?.verdict, steps: told?.steps });
  });

/** As `edge judge` reads it. */
function replayed({ trial, beganMs }: CanaryTrial, given: object) {
  const analysis = analysisSchema.parse(given);
  const { history, steps, metrics } = stepsOf(samplesIn(trial.output, 'log'), { stepMs: MINUTE, beganMs });
  const time = canaryTimeOf(analysis, { beganMs, sinceMs: beganMs - 4 * MINUTE });
  assert.equal(history, time.before);
  const past = metrics.map((metric) => [metric.name, metric.steps.slice(0, history)]);
  const judge = new CanaryJudge(rulesOf(analysis, time), Object.fromEntries(past));
  for (let step = history; step < steps; step += 1) {
    assert.equal(judge.judge().verdict, 'undecided');
    judge.add(Object.fromEntries(metrics.map((metric) => [metric.name, metric.steps[step]])));
  }
  return { verdict: judge.judge().verdict, steps: steps - history };
}

test('what was decided is decided: a takeover tells the same and writes nothing twice', async () => {
  const whole = new CanaryTrial(counted(3));
  const told = expectKind(await whole.finish(), 'failed');
  assert.ok(whole.trial.pieces.length > 1);
  const crashes = [
    { at: 'after-save', nth: 1 },
    ...whole.trial.pieces.map((_, index) => ({ at: 'after-output', nth: index + 1 }) as const),
  ] as const;
  for (const crash of crashes) {
    const canary = new CanaryTrial(counted(3));
    await canary.looks(3);
    await canary.attempt(crash).catch(() => undefined);
    canary.source.put({
      name: 'errors',
      labels: { instance: '10.0.0.1:8080', server: 'web-1', zone: 'a' },
      atMs: canary.beganMs + 1,
      value: 0,
    });
    assert.deepEqual(await canary.attempt(), told);
    const times = (text: string) => text.split('\n').map((line) => line.split(',').slice(0, 4).join());
    assert.deepEqual(times(canary.trial.output), times(whole.trial.output));
  }
});

test('what is told of a hundred metrics fits into what is kept of a task', async () => {
  const metrics = Array.from({ length: 100 }, (_, index) => ({
    ...ERRORS,
    name: `m${index}-`.padEnd(60, 'x'),
  }));
  const canary = new CanaryTrial(counted(3), { metrics });
  const { error } = expectKind(await canary.finish(), 'failed');
  assert.equal(error.code, 'canary_failed');
  assert.match(error.message, /… \(cut\) The canary is/);
  for (const kept of [error, canary.trial.saved, ...canary.trial.pieces.map(({ reached }) => reached)])
    assert.ok(JSON.stringify(kept).length < 16_384);
  const written = canary.trial.pieces.map(({ text }) => Buffer.byteLength(text));
  assert.ok(Math.max(...written) <= 65_536 && written.reduce((sum, bytes) => sum + bytes) < 8 * 1_048_576);
});
