import type { FurtherStep, Work } from '../../domain/further-step.ts';
import type { Input } from '../../domain/plan.ts';
import { CYCLE, type CycleStep, type InlineStrategy, type StepList } from '../../domain/strategy.ts';
import type { Json } from '../../lib/json.ts';
import type { SequenceName } from '../../plan/sequences.ts';

/** What each sequence has of the cycle. */
const OF_CYCLE: Readonly<Record<SequenceName, readonly CycleStep[]>> = {
  rolling: CYCLE,
  plain: ['stop', 'install', 'start', 'verify', 'settle'],
  // The guard costs nothing here; with it no unverified service gets traffic, and the return is waited for.
  cold: CYCLE,
  others: ['stop', 'install', 'start'],
  'others-stopped': ['install'],
  hard: ['stop', 'install', 'start'],
  restart: ['guard', 'drain', 'stop', 'start', 'verify', 'enable', 'settle'],
  'restart-plain': ['stop', 'start', 'verify', 'settle'],
  'restart-cold': ['guard', 'drain', 'stop', 'start', 'verify', 'enable', 'settle'],
  'restart-hard': ['stop', 'start'],
  reload: ['install', 'verify', 'settle'],
  'reload-plain': ['install', 'verify', 'settle'],
};

type WithSteps = Pick<InlineStrategy, 'steps'>;

/** The steps of a sequence, in order: of the cycle, and those of the strategy's own that belong to them. */
export function listedSteps(name: SequenceName, { steps }: WithSteps): StepList {
  const list: StepList = steps?.datacenter ?? CYCLE;
  const has = new Set<CycleStep>(OF_CYCLE[name]);
  // Further steps were listed for targets that are out of service, or for what was just started.
  const isReload = name === 'reload' || name === 'reload-plain';
  return list.filter((item, index) => {
    if (isReload && typeof item !== 'string') return false;
    const anchor = typeof item === 'string' ? item : anchorOf(list, index);
    return anchor === undefined || has.has(anchor);
  });
}

/**
 * A step of the strategy's own belongs to the step of the cycle before it, and is done wherever that one is; before `stop`, where
 * nothing has been done to the service yet, to the one after it.
 */
function anchorOf(list: StepList, index: number): CycleStep | undefined {
  const isOfCycle = (item: StepList[number]) => typeof item === 'string';
  const before = list.slice(0, index).findLast(isOfCycle);
  if (before !== undefined && before !== 'guard' && before !== 'drain') return before;
  return list.slice(index + 1).find(isOfCycle) ?? before;
}

export function furtherSteps({ steps }: WithSteps): readonly FurtherStep[] {
  return (steps?.datacenter ?? []).filter((item) => typeof item !== 'string');
}

/** The inputs as a plan has them: literal values, and outputs of earlier steps (contract C5). */
export function inputsOf(item: Work): Readonly<Record<string, Input>> {
  return Object.fromEntries(
    Object.entries(item.with).map(([name, value]) => [name, outputOf(value) ?? { value: value as Json }]),
  );
}

/** What a parameter of a script may be of its target, and of which type that is. */
export const PLACE_TYPES = { name: 'string', address: 'string', zone: 'string', port: 'integer' } as const;
export type PlaceField = keyof typeof PLACE_TYPES;

/** `{ target: name }`, and nothing beside it. */
export function placeOf(value: unknown): PlaceField | undefined {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 1) return undefined;
  const target = 'target' in value ? value.target : undefined;
  return (Object.keys(PLACE_TYPES) as PlaceField[]).find((field) => field === target);
}

/** `{ from: step, output: name }`, and nothing beside it. */
export function outputOf(value: unknown): { readonly from: string; readonly output: string } | undefined {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 2) return undefined;
  if (!('from' in value) || !('output' in value)) return undefined;
  const { from, output } = value;
  return typeof from === 'string' && typeof output === 'string' ? { from, output } : undefined;
}
