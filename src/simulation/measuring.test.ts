import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Draw } from './draw.ts';
import { estateOf } from './estate.ts';
import type { Fact } from './facts.ts';
import { Faults } from './faults.ts';
import { EPOCH_MS, Life } from './life.ts';
import { Measuring } from './measuring.ts';
import { Schedule } from './schedule.ts';
import { scenarioOf } from './swarm.ts';

const seeds = Array.from({ length: 300 }, (_, seed) => scenarioOf(seed));
const judged = seeds.filter(({ projects }) => projects.some(({ analysis }) => analysis));

function measured() {
  const scenario = judged.find(({ targets }) => targets.every(({ found }) => found === 'serves'));
  if (!scenario) throw new Error('no seed has a fleet that serves');
  const schedule = new Schedule(new Draw(1));
  const faults = new Faults({ schedule, draw: new Draw(2), strengths: {}, untilMs: 0 });
  const estate = { ...estateOf(scenario), isHarmful: (release: string) => release.startsWith('2') };
  const measuring = new Measuring({ scenario, schedule, draw: new Draw(3), faults, ...estate });
  const [{ name, project } = { name: '', project: '' }] = scenario.targets;
  const runs = (running: string | null): void =>
    measuring.see({
      ...{ kind: 'service.changed', target: name, by: 'edge' },
      ...{ running, isWell: running !== null },
    } as Fact);
  const source = measuring.source(new Life('a worker', schedule), { timeoutMs: 1_000, delayMs: 500 });
  return { schedule, measuring, name, project, runs, source };
}

async function later(schedule: Schedule, ms: number): Promise<void> {
  let isOver = false;
  schedule.after(ms, () => {
    isOver = true;
  });
  while (!isOver && (await schedule.step()));
}

test('about a third of the seeds have canaries that are judged, with sources that err and policies of all kinds', () => {
  assert.ok(judged.length > 80 && judged.length < 130, `${judged.length}`);
  const all = JSON.stringify(judged.map(({ policy, strengths }) => [policy, strengths]));
  for (const part of [
    '"unsure":"continue"',
    '"noData":"continue"',
    '"canary":"abort"',
    'metrics.false-alarm',
  ])
    assert.ok(all.includes(part), part);
  assert.ok(!JSON.stringify(seeds.filter((seed) => !judged.includes(seed))).includes('metrics'));
});

test('a server counts what the release does that runs there, and nothing while none does', async () => {
  const { schedule, measuring, name, runs } = measured();
  await later(schedule, 1_000);
  runs(null);
  await later(schedule, 1_000);
  runs('2.0.0-1');
  await later(schedule, 1_000);
  const at = (ms: number) => measuring.counted(name, EPOCH_MS + ms, undefined);
  assert.deepEqual(at(500), { requests: 1_000, errors: 100 });
  assert.equal(at(1_500), null);
  assert.deepEqual(at(2_500), { requests: 1_000, errors: 400 });
});

test('a source says nothing of what is to come, and names the server of each series', async () => {
  const { schedule, name, project, source } = measured();
  await later(schedule, 10_000);
  const grid = { fromMs: EPOCH_MS + 8_000, toMs: EPOCH_MS + 12_000, stepMs: 2_000 };
  const asked = source.query({ ...grid, text: `${project}_errors` }, new AbortController().signal);
  await later(schedule, 1_000);
  const answer = await asked;
  assert.equal(answer.kind, 'series');
  const [series] = 'series' in answer ? answer.series : [];
  assert.deepEqual(series, { labels: { instance: `${name}.example:8080` }, values: [100, null, null] });
});
