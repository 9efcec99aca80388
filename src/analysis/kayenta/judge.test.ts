import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kayentaConfig } from '../../domain/kayenta-config.ts';
import { judge } from './judge.ts';
import { pairs } from './series.ts';

/** As Spinnaker keeps one, with what the judge does not read. */
const CONFIG = {
  name: 'shop',
  description: 'the golden signals',
  configVersion: '1',
  applications: ['shop'],
  judge: { name: 'NetflixACAJudge-v1.0', judgeConfigurations: {} },
  metrics: [
    {
      name: 'errors',
      query: { type: 'prometheus', serviceType: 'prometheus', metricName: 'errors' },
      scopeName: 'default',
      groups: ['requests'],
      analysisConfigurations: {
        canary: { direction: 'increase', critical: true, effectSize: { allowedIncrease: 1.2 } },
      },
    },
    { name: 'cpu', groups: ['system'], analysisConfigurations: { canary: { muted: true } } },
    { name: 'latency', groups: ['requests'], analysisConfigurations: {} },
  ],
  templates: {},
  classifier: { groupWeights: { requests: 100 } },
};
const STEADY = [10, 11, 12, 13, 14, 15, 10, 11, 12, 13, 14, 15];
const pairOf = (name: string, factor: number) =>
  pairs(
    [{ name, tags: {}, values: STEADY }],
    [{ name, tags: {}, values: STEADY.map((value) => value * factor) }],
    STEADY.length,
  );

test('a configuration of Spinnaker judges as it does there: by metric, group and threshold', () => {
  const config = kayentaConfig.parse(CONFIG);
  const measured = (errors: number) => [
    ...pairOf('errors', errors),
    ...pairOf('cpu', 3),
    ...pairOf('latency', 1.01),
    ...pairOf('unknown', 9),
  ];
  const good = judge(config, measured(1.01));
  assert.deepEqual(
    good.results.map(({ name, label, isMuted }) => [name, label, isMuted]),
    [
      ['errors', 'Pass', false],
      ['cpu', 'High', true],
      ['latency', 'Pass', false],
    ],
  );
  assert.deepEqual([good.score, good.override], [100, null]);
  const bad = judge(config, measured(2));
  assert.deepEqual([bad.score, bad.override], [0, 'errors is critical, and High.']);
  assert.equal(bad.groups[0]?.score, 50);
  assert.match(bad.results[0]?.reason ?? '', /^The canary is higher: shifted by 1\d\.\d \(between /);
});

test('each series of a metric is judged by itself', () => {
  const config = kayentaConfig.parse({ name: 'shop', metrics: [{ name: 'errors', groups: ['all'] }] });
  const side = (factors: Record<string, number>) =>
    Object.entries(factors).map(([host, factor]) => ({
      ...{ name: 'errors', tags: { host } },
      values: STEADY.map((value) => value * factor),
    }));
  const { score, results } = judge(config, pairs(side({ a: 1, b: 1 }), side({ a: 1, b: 2 }), 12));
  assert.deepEqual([score, results.map(({ label }) => label)], [50, ['Pass', 'High']]);
});
