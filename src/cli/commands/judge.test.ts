import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { cli } from '../../../test/support/cli-process.ts';
import { Draws } from '../../../test/support/draws.ts';

const BEGAN = Date.UTC(2026, 2, 1, 14);
const iso = (minute: number) => new Date(BEGAN + minute * 60_000).toISOString();

/** Four hours of history and an hour of canary: errors of requests, and the load of two servers on each side. */
function samples(errors: number, load: number): string {
  const draws = new Draws(1);
  const rows = ['time,metric,side,server,value,of'];
  const errorsAt = (rate: number) =>
    Array.from({ length: 1_000 }, () => draws.chance(rate)).filter(Boolean).length;
  for (let minute = -240; minute < 60; minute += 1) {
    const isCanary = minute >= 0;
    rows.push(`${iso(minute)},errors,canary,,${errorsAt(isCanary ? errors : 0.005)},1000`);
    rows.push(`${iso(minute)},errors,baseline,,${errorsAt(0.005)},1000`);
    for (const server of ['web-1', 'web-2'])
      rows.push(`${iso(minute)},load,canary,${server},${(isCanary ? load : 1) * (50 + 5 * draws.normal())},`);
    for (const server of ['web-3', 'web-4'])
      rows.push(`${iso(minute)},load,baseline,${server},${50 + 5 * draws.normal()},`);
  }
  return rows.join('\n');
}

describe('edge judge', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'edge-judge-'));
  });
  after(() => rm(folder, { recursive: true }));
  const judge = async (text: string, ...options: readonly string[]) => {
    await writeFile(join(folder, 'samples'), text);
    return cli(['judge', 'samples', ...options], { folder, settings: {} });
  };

  test('fails a canary with more errors as soon as it could be known, and says by how much and since when', async () => {
    const { status, stdout } = await judge(samples(0.03, 1), '--from', iso(0), '--more', 'errors,load');
    assert.equal(status, 1);
    assert.match(
      stdout,
      /^fail after 3 steps \(2026-03-01 14:03Z\): errors is [\d.]+ times that of the baseline \([\d.]+ to [\d.]+\) from the start, /,
    );
    assert.match(
      stdout,
      /\nMETRIC {2}STATE {2}CANARY \/ BASELINE {2,}P {2,}SINCE\nerrors {2}worse {2}[\d.]+ \([\d.]+ to [\d.]+\) .* 2026-03-01 14:00Z\n/,
    );
    assert.match(stdout, /\nload {4}(open|clear) /);
  });

  test('passes one that is surely no worse, before its time is up', async () => {
    const end = await judge(samples(0.005, 1), '--from', iso(0), '--allowed', '50', '--json');
    assert.equal(end.status, 0);
    const { verdict, steps, metrics } = JSON.parse(end.stdout);
    assert.deepEqual(
      [verdict, metrics.map(({ state }: { state: string }) => state)],
      ['pass', ['clear', 'clear']],
    );
    assert.ok(steps < 40, `${steps}`);
  });

  test('less of a metric is harm only where it may be', async () => {
    const fallen = samples(0.005, 0.5);
    assert.equal((await judge(fallen, '--from', iso(0), '--more', 'load')).status, 0);
    assert.equal((await judge(fallen, '--from', iso(0), '--less', 'load')).status, 1);
    assert.equal((await judge(fallen, '--from', iso(0))).status, 1);
  });

  test('says what is missing of the question', async () => {
    const text = samples(0.005, 1);
    const said = async (message: RegExp, ...options: readonly string[]) => {
      const { status, stderr } = await judge(text, ...options);
      assert.equal(status, 2);
      assert.match(stderr, message);
    };
    await said(/settings_invalid: --from has to say when the canary began/);
    await said(/There is no metric heap in the file\n.*errors, load/s, '--from', iso(0), '--more', 'heap');
    await said(/samples_invalid: There is no sample from .* on\n.*\n.*Compare --from/, '--from', iso(900));
  });

  test("judges Kayenta's own files as Spinnaker does", async () => {
    const steady = [10, 11, 12, 13, 14, 15, 10, 11, 12, 13, 14, 15];
    const pair = (name: string, factor: number) => ({
      ...{ name, id: name, tags: {}, scopes: {} },
      values: { control: [...steady, 'NaN'], experiment: [...steady.map((value) => value * factor), null] },
    });
    const config = {
      name: 'shop',
      metrics: [
        { name: 'cpu', groups: ['a'] },
        { name: 'heap', groups: ['a'] },
      ],
    };
    await writeFile(join(folder, 'canary.json'), JSON.stringify(config));
    const of = (factor: number) =>
      JSON.stringify({ metricSetPairList: [pair('cpu', factor), pair('heap', 1)] });
    const passed = await judge(of(1), '--kayenta', 'canary.json');
    assert.deepEqual([passed.status, passed.stdout.split('\n')[0]], [0, 'Pass: score 100']);
    const failed = await judge(of(2), '--kayenta', 'canary.json', '--json');
    assert.equal(failed.status, 1);
    const { label, score, results } = JSON.parse(failed.stdout);
    assert.deepEqual([label, score, results[0].label], ['Fail', 50, 'High']);
    const wrong = await judge('[{"name": "cpu"}]', '--kayenta', 'canary.json');
    assert.equal(wrong.status, 2);
    assert.match(wrong.stderr, /samples_invalid: samples is not what Kayenta keeps/);
  });
});
