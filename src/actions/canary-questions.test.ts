import assert from 'node:assert/strict';
import { test } from 'node:test';
import { METRIC_SOURCES } from '../../test/fixtures/metric-sources.ts';
import { PAIRS } from '../../test/support/canary-trial.ts';
import { canaryJudgeInputs } from './canary-judge-inputs.ts';
import { questionsOf } from './canary-questions.ts';

for (const [kind, { config, query, filled }] of Object.entries(METRIC_SOURCES))
  test(`values are put into a query of ${kind} as its language has them`, () => {
    const inputs = canaryJudgeInputs.parse({
      analysis: { metrics: [{ name: 'errors', source: 'own', query }] },
      sources: { own: config },
      ...{ pairs: PAIRS, since: null, goOn: [] },
    });
    const [first] = questionsOf(inputs).flatMap((asked) => asked.query);
    assert.equal(first?.question.text, filled);
  });
