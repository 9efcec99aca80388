import { capabilityOf } from '../../actions/define.ts';
import type { Work } from '../../domain/further-step.ts';
import { healthCheckSchema } from '../../domain/health.ts';
import type { Input } from '../../domain/plan.ts';
import type { TargetConfig } from '../../domain/project-environment.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { Settings } from '../../plan/settings.ts';
import type { Action } from '../../ports/action.ts';
import { healthFacts, whereOf } from './health-place.ts';
import { literal } from './inputs.ts';
import { inputsOf } from './listed-steps.ts';
import { scripted, scriptFacts } from './script-step.ts';
import { fieldsOf } from './step-shape.ts';
import { type Built, command, NO_RETRY, SLACK_MS, settle, withUnknown } from './steps.ts';

const COMMAND_MS = 60_000;

/** A step of the strategy's own: what the platform gives to its action, and what the strategy says, which wins. */
export function further(item: Work, settings: Settings, ofPlugins: readonly Action[]): Built {
  if (item.script !== undefined) return scripted(item, settings);
  const built = furtherBuilt(item, settings, ofPlugins);
  const { timeoutMs = built.timeoutMs } = item;
  const { env, ...inputs } = inputsOf(item);
  const isFact = env !== undefined && settings.envDiffers;
  const merged = env && 'value' in env ? literal({ ...settings.env, ...(env.value as JsonObject) }) : env;
  const made = {
    ...built,
    inputs: {
      ...built.inputs,
      ...inputs,
      ...(isFact ? { env: { target: factName(item, 'env') } } : merged && { env: merged }),
    },
    timeoutMs,
  };
  return withUnknown(made, item.onUnknown);
}

function furtherBuilt(item: Work, settings: Settings, ofPlugins: readonly Action[]): Built {
  const { ms, windowMs, graceMs } = item.with;
  if (item.action === 'wait.settle@1') return { ...settle(settings), timeoutMs: longest(ms) + SLACK_MS };
  if (item.action === 'health.verify@1') {
    const check = healthCheckSchema.parse(item.with.check);
    const inputs = whereOf(check, settings, (fact) => factName(item, fact));
    const timeoutMs = longest(windowMs) + SLACK_MS;
    return { action: 'health.verify@1', inputs, timeoutMs, retries: NO_RETRY, onUnknown: 'retry' };
  }
  const foreign = ofPlugins.find((action) => capabilityOf(action) === item.action);
  if (foreign) return ofPlugin(foreign, settings);
  const own = command(settings, [], COMMAND_MS);
  const grace = typeof graceMs === 'number' ? { graceMs } : {};
  return { ...own, ...grace, inputs: { ...own.inputs, release: { release: true } } };
}

/** What the platform has for any step, as far as the action takes it. */
function ofPlugin(action: Action, settings: Settings): Built {
  const { argv: _, ...onHost } = command(settings, [], COMMAND_MS).inputs;
  const all: Readonly<Record<string, Input>> = {
    ...{ ...onHost, release: { release: true }, members: { members: true } },
    balancers: literal(settings.balancers),
  };
  const takes = fieldsOf(action.inputs);
  const inputs = Object.fromEntries(Object.entries(all).filter(([name]) => Object.hasOwn(takes, name)));
  return { action: capabilityOf(action), inputs, timeoutMs: COMMAND_MS, retries: NO_RETRY, onUnknown: 'ask' };
}

/** A time that an earlier step gives is not known here. */
const longest = (ms: unknown): number => (typeof ms === 'number' ? ms : COMMAND_MS);

const factName = ({ id }: Work, fact: string): string => `${id}.${fact}`;

/** What differs per target for a step of the strategy's own. */
export function furtherFacts(item: Work, target: TargetConfig, settings: Settings): JsonObject {
  if (item.script !== undefined) return scriptFacts(item, target, settings);
  const { env } = inputsOf(item);
  const own = env && 'value' in env ? (env.value as JsonObject) : undefined;
  const check = item.action === 'health.verify@1' ? healthCheckSchema.parse(item.with.check) : undefined;
  const facts = {
    ...healthFacts(target, check),
    ...(own && settings.envDiffers && { env: { ...settings.env, ...target.env, ...own } }),
  };
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [factName(item, name), value]));
}
