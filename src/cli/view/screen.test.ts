import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SampleView, STARTED, sampleWatched } from '../../../test/support/sample-view.ts';
import { deploymentId } from '../../domain/ids.ts';
import type { Watched } from '../../words/watched.ts';
import { paint, textOf, textWidth } from './line.ts';
import { type ScreenSize, screenLines } from './screen.ts';

const NOW = STARTED + 72_000;

function screen(watched: Watched, size: ScreenSize = { columns: 100, rows: 24 }): string {
  const lines = screenLines(watched, NOW, size).map((line) => paint(line, false));
  return `\n${lines.join('\n')}\n`;
}

const SMALL: SampleView = {
  batches: [
    { name: 'canary', targets: '+' },
    { name: '50%', targets: '+x>' },
    { name: 'rest', targets: '..' },
  ],
  targets: {
    2: { step: 'verify', reason: 'HTTP 500 from /health', parked: true },
    3: { progress: '43 connections left' },
  },
};

test('a small deployment shows each batch and each target on a line of its own, and the newest output', () => {
  const output = [{ target: 'web-03', step: 'drain', text: 'waiting for 43 connections' }];
  assert.equal(
    screen({ ...sampleWatched(SMALL), output }),
    `
shop → prod   deploy 2.0.0   ▸ running   1m 12s, about 75s left
d-17 · by ann
████████████████░░░░░░░░░░░░░░░░░  3 of 6   ✓ 2 done   ▸ 1 at work   ✗ 1 failed   P 1 parked

  ✓ canary  ████████████████████  1 of 1
  ▸ 50%     █████████████░░░░░░░  2 of 3   1 at work   1 failed
  · rest    ░░░░░░░░░░░░░░░░░░░░  0 of 2

  ✓ web-00  done
  ✓ web-01  done
  P web-02  failed at verify           HTTP 500 from /health; stays out of service until it is retu…
  ▸ web-03  drain                 12s  43 connections left
  · web-04  not begun
  · web-05  not begun

  web-03 drain | waiting for 43 connections
`,
  );
});

const MIDDLE: SampleView = {
  batches: [
    { name: 'canary', stageName: 'east', targets: '+' },
    { name: '25%', stageName: 'east', targets: '+'.repeat(30) },
    { name: '100%', stageName: 'east', targets: `${'+'.repeat(10)}x+>>>>>${'.'.repeat(80)}` },
    { name: '100%', stageName: 'west', zone: 'west', stage: 1, targets: '.'.repeat(120) },
  ],
  targets: {
    41: { step: 'verify', reason: 'HTTP 500', parked: true },
    43: { step: 'guard', reason: 'waits for capacity: web would have 5 in service, the floor is 6' },
    44: { step: 'guard', reason: 'waits for capacity: web would have 5 in service, the floor is 6' },
  },
};

test('hundreds of targets are one cell each; those that failed or are at work have lines, and each wait is told once', () => {
  assert.equal(
    screen(sampleWatched(MIDDLE)),
    `
shop → prod   deploy 2.0.0   ▸ running   1m 12s, about 6m left
d-17 · by ann · stage 1 of 2: east
█████░░░░░░░░░░░░░░░░░░░░░░░░░░░░  43 of 248   ✓ 42 done   ▸ 5 at work   ✗ 1 failed   P 1 parked

  ✓ east canary  ✓
  ✓ east 25%     ✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓
  ▸ east 100%    ✓✓✓✓✓✓✓✓✓✓P✓▸▸▸▸▸··································································
                 ··············
  · west 100%    ···················································································
                 ·····································
    ✓ done   P parked   ▸ at work   · not begun

  2 targets: waits for capacity: web would have 5 in service, the floor is 6
  P web-41  failed at verify           HTTP 500; stays out of service until it is returned
  ▸ web-43  guard                 12s  waits for capacity: web would have 5 in service, the floor i…
  ▸ web-44  guard                 12s  waits for capacity: web would have 5 in service, the floor i…
  ▸ web-45  drain                 12s
  ▸ web-46  drain                 12s
  ▸ web-47  drain                 12s
`,
  );
});

const LARGE: SampleView = {
  batches: Array.from({ length: 40 }, (_, index) => ({
    name: `batch ${index + 1}`,
    targets: (index < 12 ? '+' : index === 12 ? '>' : '.').repeat(250),
  })),
};

test('thousands of targets are counted by batch, around those that are worked on', () => {
  assert.equal(
    screen(sampleWatched(LARGE), { columns: 80, rows: 20 }),
    `
shop → prod   deploy 2.0.0   ▸ running   1m 12s, about 3m left
d-17 · by ann
███████░░░░░░░░░░░░░░░░░░░  3000 of 10000   ✓ 3000 done   ▸ 250 at work

  … 11 batches before
  ✓ batch 12  ████████████████████  250 of 250
  ▸ batch 13  ░░░░░░░░░░░░░░░░░░░░  0 of 250   250 at work
  · batch 14  ░░░░░░░░░░░░░░░░░░░░  0 of 250
  … 26 batches to come

  ▸ web-3000  drain           12s
  ▸ web-3001  drain           12s
  ▸ web-3002  drain           12s
  ▸ web-3003  drain           12s
  ▸ web-3004  drain           12s
  ▸ web-3005  drain           12s
  ▸ web-3006  drain           12s
  ▸ web-3007  drain           12s
  … and 242 more targets like these
`,
  );
});

test('a screen is never higher or wider than its size', () => {
  for (const sample of [SMALL, MIDDLE, LARGE]) {
    for (const [columns, rows] of [
      [20, 5],
      [40, 10],
      [80, 24],
      [200, 60],
    ] as const) {
      const lines = screenLines(sampleWatched(sample), NOW, { columns, rows });
      assert.ok(lines.length <= rows);
      for (const line of lines) assert.ok(textWidth(textOf(line)) <= columns, textOf(line));
    }
  }
});

test('a failed deployment says why, what is not on the release, and what rolled it back', () => {
  const overall = {
    status: 'failed',
    reason: '1 of 4 targets failed',
    endedAt: STARTED + 65_000,
    rollback: deploymentId('d-18'),
    notes: ['unverified'],
    exceptions: 1,
  } as const;
  const batches = [
    { name: 'canary', targets: '+' },
    { name: '50%', targets: '+x-' },
  ];
  assert.equal(
    screen(sampleWatched({ batches, overall })),
    `
shop → prod   deploy 2.0.0   ✗ failed   in 1m 05s
d-17 · by ann
█████████████████████████████████  4 of 4   ✓ 2 done   ✗ 1 failed   – 1 skipped
failed: 1 of 4 targets failed
notes: unverified
rolled back by d-18

  ✓ canary  ████████████████████  1 of 1
  ✗ 50%     ████████████████████  3 of 3   1 failed   1 skipped

  ✓ web-00  done
  ✓ web-01  done
  ✗ web-02  failed
  – web-03  skipped
`,
  );
});

test('once it has ended nothing is at work, and what a rollback took over is not left to be returned', () => {
  const batches = [
    { name: 'canary', targets: 'x' },
    { name: 'rest', targets: '+.' },
  ];
  const overall = { status: 'failed', endedAt: STARTED + 6_400, rollback: deploymentId('d-18') } as const;
  const sample = sampleWatched({ batches, overall, targets: { 0: { parked: true, step: 'verify' } } });
  assert.equal(
    screen(sample),
    `
shop → prod   deploy 2.0.0   ✗ failed   in 6.4s
d-17 · by ann
██████████████████████░░░░░░░░░░░  2 of 3   ✓ 1 done   ✗ 1 failed
rolled back by d-18

  ✗ canary  ████████████████████  1 of 1   1 failed
  ✗ rest    ██████████░░░░░░░░░░  1 of 2

  ✗ web-00  failed at verify
  ✓ web-01  done
  · web-02  not begun
`,
  );
});

test('a paused deployment says why, how to go on, and when it aborts by itself', () => {
  const paused = { cause: 'operator', by: 'ann', abortAt: STARTED + 86_400_000 };
  const batches = [
    { name: 'canary', targets: '+' },
    { name: 'rest', targets: '+..' },
  ];
  const overall = { status: 'paused', reason: 'looks odd', paused } as const;
  assert.equal(
    screen(sampleWatched({ batches, overall })),
    `
shop → prod   deploy 2.0.0   ‖ paused   1m 12s
d-17 · by ann
████████████████░░░░░░░░░░░░░░░░░  2 of 4   ✓ 2 done
paused by ann: looks odd
  go on: \`edge resume d-17\`
  go back: \`edge rollback d-17\`
  end it: \`edge abort d-17\`
  else it aborts by itself in 23h 58m

  ✓ canary  ████████████████████  1 of 1
  ▸ rest    ██████░░░░░░░░░░░░░░  1 of 3

  ✓ web-00  done
  ✓ web-01  done
  · web-02  not begun
  · web-03  not begun
`,
  );
});

test('on a narrow terminal the reason is told whole, on more lines', () => {
  const reason =
    'the budget of failures is spent (1); web-00: GET http://10.0.0.1/health answered 500, not 200';
  const paused = { cause: 'budget', by: 'engine', abortAt: STARTED + 86_400_000 };
  const overall = { status: 'paused', reason, paused } as const;
  const sample = sampleWatched({ batches: [{ name: 'all', targets: 'x..' }], overall });
  const lines = screen(sample, { columns: 60, rows: 30 }).split('\n');
  const first = lines.findIndex((text) => text.startsWith('paused by'));
  assert.deepEqual(lines.slice(first, first + 3), [
    'paused by engine: the budget of failures is spent (1);',
    '    web-00: GET http://10.0.0.1/health answered 500, not 200',
    '  go on: `edge resume d-17`',
  ]);
});

test('the same screen in colours says the same in words and symbols', () => {
  const watched = sampleWatched(SMALL);
  const size = { columns: 100, rows: 24 };
  const coloured = screenLines(watched, NOW, size).map((line) => paint(line, true));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: SGR sequences are what is taken away
  const plain = coloured.map((text) => text.replaceAll(/\u001b\[[0-9;]*m/g, '').trimEnd());
  assert.deepEqual(
    plain,
    screenLines(watched, NOW, size).map((line) => paint(line, false)),
  );
  assert.notDeepEqual(coloured, plain);
});

test('a guess of the time that is left comes from the plan, and from its own pace once a tenth is done', () => {
  const first = sampleWatched({ batches: [{ name: 'all', targets: '>.........' }] });
  assert.doesNotMatch(screen(first), /left/);
  const expected = { p50Ms: 372_000, p90Ms: 372_000 };
  assert.match(screen({ ...first, expected }), /1m 12s, about 5m left/);
  assert.match(
    screen({ ...first, expected: { ...expected, p90Ms: 552_000 } }),
    /1m 12s, about 5m to 8m left/,
  );
  const later = sampleWatched({ batches: [{ name: 'all', targets: '+++++>....' }] });
  assert.match(screen({ ...later, expected }), /1m 12s, about 75s left/);
});

test('text from hosts stays on its line and is cut at the width', () => {
  const output = [{ target: 'web-03', step: 'start', text: `\tone\ntwo ${'漢'.repeat(100)}` }];
  const lines = screenLines({ ...sampleWatched(SMALL), output }, NOW, { columns: 40, rows: 24 });
  assert.ok(lines.every((line) => textWidth(textOf(line)) <= 40 && !/[\n\t]/.test(textOf(line))));
});
