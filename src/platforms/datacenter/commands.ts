import { scriptRunInputs } from '../../actions/script-run.ts';
import type { Commanded } from '../../domain/command-policy.ts';
import { argvField, ifUnknownField } from '../../domain/fields.ts';
import { healthCheckSchema } from '../../domain/health.ts';
import type { Input, Step } from '../../domain/plan.ts';
import type { Json } from '../../lib/json.ts';
import { configuredStop } from './steps.ts';

/** What a step runs on its target that somebody has configured; the commands of Edge itself are not among it. */
export function commandsOf({ id, inputs }: Pick<Step, 'id' | 'inputs'>): readonly Commanded[] {
  const argv = argvField.safeParse(literalOf(inputs.argv));
  const unknown = ifUnknownField.safeParse(literalOf(inputs.ifUnknown));
  const check = healthCheckSchema.safeParse(literalOf(inputs.check));
  const script = scriptRunInputs.shape.script.safeParse(literalOf(inputs.script));
  return [
    ...(argv.success ? [(id === 'stop' ? configuredStop(argv.data) : undefined) ?? argv.data] : []),
    ...(unknown.success && typeof unknown.data === 'object' ? [unknown.data.check] : []),
    ...(check.success && check.data.kind === 'command' ? [check.data.argv] : []),
    ...(script.success ? [{ script: script.data.name, sha256: script.data.sha256 }] : []),
  ];
}

const literalOf = (input: Input | undefined): Json | undefined =>
  input && 'value' in input ? input.value : undefined;
