import { partName } from '../domain/capacity.ts';
import type { Json } from '../lib/json.ts';
import type { PoolCapacity } from './capacity.ts';
import type { Explained, ExplainedBatch, ExplainedStage, ExplainedTarget } from './explain.ts';
import { duration, type ExplainedCommand, type ExplainedStep } from './explain-step.ts';
import { poolName } from './pools.ts';
import { UNNAMED_ZONE } from './targets.ts';

/** A plan as plain text: no colours, no width, the same text for the same plan. */
export function renderPlan(plan: Explained): string {
  const lines = [
    plan.title,
    `plan ${plan.hash.slice(0, 12)}, expected ${about(plan.forecast)} (${plan.forecast.basis})`,
    ...plan.notes.map(({ message }) => `note: ${message}`),
    '',
    ...plan.stages.flatMap((stage, index) => [...stageLines(stage, index), '']),
    ...Object.entries(plan.sequences).flatMap(([name, steps]) => [...sequenceLines(name, steps), '']),
    ...rollbackLines(plan),
    ...approvalLines(plan),
    ...policyLines(plan),
  ];
  return `${lines.join('\n')}\n`;
}

/** A stage that is one zone names it once; the one zone of an environment without zones has no name worth telling. */
function stageLines({ name, batches }: ExplainedStage, index: number): readonly string[] {
  const zoned = batches.some(({ zone }) => zone !== name && zone !== UNNAMED_ZONE);
  const head = name === UNNAMED_ZONE ? `stage ${index + 1}` : `stage ${index + 1}: ${name}`;
  return [head, ...batches.flatMap((batch) => batchLines(batch, zoned))];
}

function batchLines(batch: ExplainedBatch, zoned: boolean): readonly string[] {
  const { name, zone, sequence, targets, parallel } = batch;
  const [hook] = targets.filter(({ hookOn }) => hookOn !== null);
  if (hook) return [`  ${name}: ${hook.name}${hook.hookOn === hook.name ? '' : ` on ${hook.hookOn}`}`];
  const atOnce = parallel < targets.length ? `, ${parallel} at once` : '';
  const free = batch.countsFailures ? '' : ', failures do not count';
  return [
    `  ${zoned ? `${zone} · ` : ''}${name}: ${count(targets.length, 'target')}, ${sequence}${atOnce}${free}`,
    ...batch.capacity.map((pool) => `    ${capacityText(pool)}`),
    ...targetLines(targets).map((line) => `    ${line}`),
  ];
}

const capacityText = (pool: PoolCapacity) =>
  `${partName(poolName(pool), pool.zone)}: ${pool.before} in service, at least ${pool.lowest} meanwhile, ${pool.after} afterwards; floor ${pool.floor}`;

/** Targets that change in the same way are named together. */
function targetLines(targets: readonly ExplainedTarget[]): readonly string[] {
  const groups = Map.groupBy(targets, ({ before, release }) =>
    release === null ? '' : `: ${before ?? 'not known'} → ${release}`,
  );
  return [...groups].map(([change, members]) => `${members.map(({ name }) => name).join(' ')}${change}`);
}

function sequenceLines(name: string, steps: readonly ExplainedStep[]): readonly string[] {
  const width = Math.max(...steps.map(({ id }) => id.length));
  return [
    name.startsWith('hook-') ? `${name}, once:` : `${name}, for each target:`,
    ...steps.flatMap(({ id, does, command }) => [
      `  ${id.padEnd(width)}  ${does}`,
      ...(command ? envLines(command).map((line) => `  ${''.padEnd(width)}  ${line}`) : []),
    ]),
  ];
}

function envLines({ env, script }: ExplainedCommand): readonly string[] {
  const parameters = Object.entries(script?.parameters ?? {}).map(([name, value]) =>
    parameterLine(name, value),
  );
  if (env === 'per target') return ['with environment variables of its own', ...parameters];
  const variables = Object.entries(env).map(([name, value]) =>
    typeof value === 'string' ? `with ${name}=${JSON.stringify(value)}` : `with ${name} from a secret`,
  );
  return [...variables, ...parameters];
}

/** As the script finds it. */
function parameterLine(name: string, value: Json | undefined): string {
  const variable = `EDGE_PARAM_${name.toUpperCase()}`;
  if (typeof value !== 'object' || value === null) return `with ${variable}=${JSON.stringify(String(value))}`;
  return 'from' in value
    ? `with ${variable} from ${String(value.output)} of ${String(value.from)}`
    : `with ${variable} of each target`;
}

function rollbackLines({ rollbacks }: Explained): readonly string[] {
  return Object.entries(rollbacks).map(
    ([name, steps]) => `if it is rolled back, ${name}: ${steps.map(({ id }) => id).join(' → ')}`,
  );
}

function approvalLines({ approvals }: Explained): readonly string[] {
  if (!approvals) return [];
  const [people, have] = approvals.count === 1 ? ['person', 'has'] : ['people', 'have'];
  return [
    `starts once ${approvals.count} ${people} other than who asks for it ${have} approved this plan; aborts after ${duration(approvals.limitMs)} without`,
  ];
}

function policyLines({ policy, floors }: Explained): readonly string[] {
  const { maxFailures, onFailure, holdLimitMs, parallel } = policy;
  return [
    `stops at ${budget(maxFailures.batch)} in a batch, ${budget(maxFailures.zone)} in a zone, or ${budget(maxFailures.deployment)} in all`,
    `then: failed health check → ${onFailure.health}; other failure → ${onFailure.other}; unknown → ${policy.onUnknown}`,
    ...canaryLines(onFailure),
    `at most ${parallel} targets at once; a pause that lasts ${duration(holdLimitMs)} aborts it`,
    ...floors.map(({ pool, zone, floor }) => `floor of ${partName(pool, zone)}: ${floor}`),
  ];
}

/** What is not there goes on. */
function canaryLines({ canary, unsure, noData }: Explained['policy']['onFailure']): readonly string[] {
  if (canary === undefined) return [];
  const [doubt = 'continue', silence = 'continue'] = [unsure, noData];
  return [`the canary is worse → ${canary}; nobody can say → ${doubt}; nothing to judge it by → ${silence}`];
}

function budget({ count: failures, percent }: Explained['policy']['maxFailures']['batch']): string {
  const limits = [
    failures === undefined ? [] : count(failures, 'failure'),
    percent === undefined ? [] : `${percent}%`,
  ];
  return limits.flat().join(' or ');
}

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`;

/** A rough length of time; two where the better and the worse days are told apart. */
function about({ p50Ms, p90Ms }: Explained['forecast']): string {
  const [usual, late] = [rough(p50Ms), rough(p90Ms)];
  return usual === late ? `about ${usual}` : `${usual} to ${late}`;
}

const rough = (ms: number): string =>
  ms < 120_000 ? `${Math.ceil(ms / 1_000)} s` : `${Math.round(ms / 60_000)} min`;
