import { EdgeError } from '../../domain/errors.ts';
import type { Work } from '../../domain/further-step.ts';
import type { Input } from '../../domain/plan.ts';
import type { TargetConfig } from '../../domain/project-environment.ts';
import type { Script } from '../../domain/script.ts';
import { valueFault } from '../../domain/typed-value.ts';
import { sha256 } from '../../lib/hash.ts';
import type { Json, JsonObject } from '../../lib/json.ts';
import type { Settings } from '../../plan/settings.ts';
import { zoneNameOf } from '../../plan/targets.ts';
import { literal } from './inputs.ts';
import { outputOf, type PlaceField, placeOf } from './listed-steps.ts';
import { type Built, command, withUnknown } from './steps.ts';

/** A step that runs a script: the platform gives what it gives to any command, and the strategy may say otherwise. */
export function scripted(item: Work, settings: Settings): Built {
  const script = scriptOf(item, settings);
  const { interpreter, outputs, parameters, name } = script;
  const types = Object.fromEntries(
    Object.entries(parameters).map(([key, { default: _, ...type }]) => [key, type]),
  );
  const digest = sha256(script.content);
  const { timeoutMs = script.timeoutMs, runAs = settings.runAs, folder = settings.folder } = item;
  const built = command({ ...settings, runAs, folder }, [], timeoutMs);
  const { argv: _, ...inputs } = built.inputs;
  const own = item.env && { env: ownEnv(item, settings) };
  const made: Built = {
    ...built,
    action: 'script.run@1',
    inputs: {
      ...inputs,
      ...own,
      release: { release: true },
      script: literal({ name, sha256: digest, interpreter, types, outputs } as unknown as Json),
      content: { script: digest },
      parameters: { fields: parametersOf(item, script) },
    },
  };
  return withUnknown(made, item.onUnknown);
}

const ownEnv = (item: Work, settings: Settings): Input =>
  settings.envDiffers ? { target: factName(item, 'env') } : literal({ ...settings.env, ...item.env });

function scriptOf(item: Work, settings: Settings): Script {
  const script = settings.scripts.get(item.script ?? '');
  if (!script) throw new EdgeError('internal', `a step without its script ${item.script}`);
  return script;
}

function parametersOf(item: Work, { parameters }: Script): Readonly<Record<string, Input>> {
  const given = new Map(Object.entries(item.with));
  return Object.fromEntries(
    Object.entries(parameters).map(([name, { default: preset }]): [string, Input] => {
      const value = given.has(name) ? given.get(name) : preset;
      if (placeOf(value)) return [name, { target: factName(item, name) }];
      return [name, outputOf(value) ?? { value: value as Json }];
    }),
  );
}

const factName = ({ id }: Work, fact: string): string => `${id}.${fact}`;

/** What differs per target for a script. Throws `config_invalid` for a target whose value its parameter cannot take. */
export function scriptFacts(item: Work, target: TargetConfig, settings: Settings): JsonObject {
  // What is not there is told where its step is made.
  const { parameters = {} } = settings.scripts.get(item.script ?? '') ?? {};
  const facts = Object.entries(item.with).flatMap(([name, value]): [string, Json][] => {
    const [place, type] = [placeOf(value), parameters[name]];
    if (!place || !type) return [];
    const found = placeValue(target, settings, place);
    const fault = valueFault(type, found);
    if (found !== undefined && fault === undefined) return [[factName(item, name), found]];
    const what = found === undefined ? `the target has no ${place}` : `its ${place} is not ${fault}`;
    throw new EdgeError('config_invalid', `The step ${item.id} cannot be done on ${target.name}: ${what}`, {
      where: { target: target.name },
      hint: `Compare the parameter ${name} of the script with the target.`,
    });
  });
  const env = item.env && settings.envDiffers && { env: { ...settings.env, ...target.env, ...item.env } };
  return { ...Object.fromEntries(facts), ...(env && { [factName(item, 'env')]: env.env }) };
}

function placeValue(
  target: TargetConfig,
  settings: Settings,
  place: PlaceField,
): string | number | undefined {
  return place === 'zone' ? zoneNameOf(target, settings) : target[place];
}
