import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillQuery } from './metric-query.ts';

const VALUES = { server: 'web-1.example', version: '1.4.0', zone: 'a', windowMs: 300_000 };

function filled(template: string, values = VALUES): unknown {
  const result = fillQuery(template, values, 'cloudwatch');
  assert.ok(result.kind === 'filled', JSON.stringify(result));
  return JSON.parse(result.text);
}

function problem(template: string, values = VALUES): string {
  const result = fillQuery(template, values, 'cloudwatch');
  assert.ok(result.kind === 'refused', JSON.stringify(result));
  return result.problems.map(({ message }) => message).join(' ');
}

const ofServer = (value: string): string =>
  `[{"Id":"a","MetricStat":{"Metric":{"Dimensions":[{"Name":"zone","Value":"x"},{"Name":"server","Value":"${value}"}]},"Period":{{window}}}}]`;

const dimension = (Value: string) => [
  {
    Id: 'a',
    MetricStat: {
      Metric: {
        Dimensions: [
          { Name: 'zone', Value: 'x' },
          { Name: 'server', Value },
        ],
      },
      Period: 300,
    },
  },
];

test('a value is that of a dimension, letter by letter, and a window a number of seconds', () => {
  assert.deepEqual(filled(ofServer('{{server}}:8080')), dimension('web-1.example:8080'));
  for (const server of ['a"b', 'a\\b', 'two\nlines', '"}],"Period":1,"x":[{"y":"', 'é😀\u2028'])
    assert.deepEqual(filled(ofServer('{{server}}'), { ...VALUES, server }), dimension(server));
});

test('a value stands in no expression, no name, and nothing but a dimension', () => {
  const wrong = [
    `[{"Id":"a","Expression":"SELECT AVG(x) FROM y WHERE server = '{{server}}'"}]`,
    '[{"Id":"a","MetricStat":{"Metric":{"MetricName":"{{server}}"}}}]',
    '[{"Dimensions":[{"{{server}}":"x"}]}]',
    '[{"Dimensions":[{"Name":"{{server}}"}]}]',
    '[{"Value":"{{server}}"}]',
  ];
  for (const template of wrong)
    assert.match(problem(template), /has to be the Value of one of the Dimensions/);
  assert.match(problem('[{{server}}]'), /has to stand in quotes/);
  assert.match(problem('[{"Dimensions":[{"Value":"\\{{server}}"}]}]'), /behind a backslash/);
});

test('a window of parts of a second is none', () => {
  assert.match(problem('[{{window}}]', { ...VALUES, windowMs: 1_500 }), /1500ms, and no whole seconds/);
});
