import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  environment,
  pool,
  projectEnvironment,
  request,
  targets,
} from '../../../test/fixtures/configuration.ts';
import type { Output } from '../../api/contract.ts';
import { buildPlan } from '../../plan/build-plan.ts';
import { explain } from '../../plan/explain.ts';
import type { PlanRequest } from '../../plan/request.ts';
import { datacenter } from '../../platforms/datacenter/plan.ts';
import { capacityLines } from './capacity-lines.ts';
import { paint } from './line.ts';

const explained = (parts: Partial<PlanRequest>): Output<'plan'>['explained'] =>
  explain(buildPlan(request(parts), datacenter));
const picture = (parts: Partial<PlanRequest> = {}, colours = false) =>
  capacityLines(explained(parts)).map((each) => paint(each, colours));

test('each batch is a bar with what serves, what is out meanwhile, and the floor', () => {
  const names = targets(8).map(({ name }) => String(name));
  assert.deepEqual(picture({ pools: [pool(names, [], ['web-8'])] }), [
    'capacity: █ serves, ▒ out for a while, · not in service, │ the floor',
    'lb:9999/web  8 members, floor 6',
    '  canary … 100% (4)  ██████│▒·  6 of 7, at the floor',
  ]);
});

test('batches that differ have bars of their own, and zones their names', () => {
  const lines = picture({
    environment: environment({ zones: [{ name: 'east' }, { name: 'west' }], policy: { minInService: 3 } }),
    projectEnvironment: projectEnvironment({
      targets: targets(8, (index) => ({ zone: index < 4 ? 'east' : 'west' })),
      strategy: { zones: 'side-by-side', batches: ['100%'] },
    }),
  });
  assert.deepEqual(lines.slice(1), [
    'lb:9999/web  8 members, floor 3',
    '  east canary  ███│████▒  7 of 8',
    '  east 100%    ███│██▒▒▒  5 of 8',
    '  west canary  ███│████▒  7 of 8',
    '  west 100%    ███│██▒▒▒  5 of 8',
  ]);
});

test('a zone that has a floor of its own has a picture of its own', () => {
  const policy = { minInService: 3, minInServicePerZone: '50%' };
  const lines = picture({
    environment: environment({ zones: [{ name: 'east' }, { name: 'west' }], policy }),
    projectEnvironment: projectEnvironment({
      targets: targets(8, (index) => ({ zone: index < 4 ? 'east' : 'west' })),
      strategy: { batches: ['100%'], canary: 0 },
    }),
  });
  assert.deepEqual(lines.slice(1), [
    'lb:9999/web  8 members, floor 3',
    '  100% … 100% (2)  ███│███▒▒  6 of 8',
    'zone east of lb:9999/web  4 members, floor 2',
    '  100%  ██│▒▒  2 of 4, at the floor',
    'zone west of lb:9999/web  4 members, floor 2',
    '  100%  ██│▒▒  2 of 4, at the floor',
  ]);
});

test('a pool that is emptied says so in words, and without colours nothing is lost', () => {
  const one = {
    environment: environment({ policy: { minInService: 0 } }),
    projectEnvironment: projectEnvironment({ targets: targets(1) }),
  };
  const plain = picture(one);
  assert.equal(plain[2], '  canary  │▒  0 of 1, nothing serves meanwhile');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: SGR sequences are what is taken away
  const bare = picture(one, true).map((text) => text.replaceAll(/\u001b\[[0-9;]*m/g, ''));
  assert.deepEqual(bare, plain);
});

test('a large pool fits into a line', () => {
  const lines = picture({ projectEnvironment: projectEnvironment({ targets: targets(400) }) });
  assert.ok(
    lines.every((text) => text.length < 100),
    lines.join('\n'),
  );
});

test('without a balancer there is no picture', () => {
  const bare = targets(2).map(({ member: _, ...rest }) => rest);
  assert.deepEqual(picture({ projectEnvironment: projectEnvironment({ targets: bare }), pools: [] }), []);
});
