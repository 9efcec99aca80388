import type { Input, Plan, Step } from '../../domain/plan.ts';
import type { ValueType } from '../../domain/typed-value.ts';
import type { Json, JsonObject } from '../../lib/json.ts';
import { literal } from './place.ts';

/**
 * The plan with scripts that take and give nothing: what a script would give in the real world nobody knows here, and a made-up value
 * need not be one that the next step takes. Steps that read it get some value of its type.
 */
export function withoutValues(plan: Plan): Plan {
  const sequences = Object.entries(plan.sequences).map(([name, steps]) => {
    const given = new Map(steps.map((step) => [step.id, outputsOf(step)]));
    const filled = (input: Input): Input => {
      const type = 'from' in input ? given.get(input.from)?.[input.output] : undefined;
      return type === undefined ? input : { value: someOf(type) };
    };
    return [name, steps.map((step) => silent(withInputs(step, filled)))] as const;
  });
  return { ...plan, sequences: Object.fromEntries(sequences) };
}

const outputsOf = (step: Step): Readonly<Record<string, ValueType>> | undefined =>
  (literal(step, 'script') as { readonly outputs?: Readonly<Record<string, ValueType>> } | undefined)
    ?.outputs;

function silent(step: Step): Step {
  const script = literal(step, 'script') as JsonObject | undefined;
  if (!script) return step;
  const nothing = { value: { ...script, types: {}, outputs: {} } };
  return { ...step, inputs: { ...step.inputs, script: nothing, parameters: { fields: {} } } };
}

const withInputs = (step: Step, change: (input: Input) => Input): Step => ({
  ...step,
  inputs: Object.fromEntries(Object.entries(step.inputs).map(([name, input]) => [name, change(input)])),
});

function someOf(type: ValueType): Json {
  switch (type.type) {
    case 'integer':
      return Math.max(1, type.min ?? 1);
    case 'boolean':
      return true;
    case 'enum':
      return type.values[0] ?? '';
    case 'string':
      return 'x';
    default:
      return type satisfies never;
  }
}
