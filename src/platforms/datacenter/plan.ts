import { capabilityOf } from '../../actions/define.ts';
import type { FurtherStep } from '../../domain/further-step.ts';
import type { Hook } from '../../domain/hook.ts';
import { pauseMs, type Retries } from '../../domain/plan.ts';
import type { TargetConfig } from '../../domain/project-environment.ts';
import { CYCLE, type CycleStep } from '../../domain/strategy.ts';
import type { JsonObject } from '../../lib/json.ts';
import { hostAddressOf } from '../../plan/host-address.ts';
import type { Platform, PlatformHook, SequenceName } from '../../plan/sequences.ts';
import type { Settings } from '../../plan/settings.ts';
import type { Action } from '../../ports/action.ts';
import { checkHooks } from './check-hooks.ts';
import { checkSteps } from './check-steps.ts';
import { commandsOf } from './commands.ts';
import { further, furtherFacts } from './further-step.ts';
import { healthFacts } from './health-place.ts';
import { furtherSteps, listedSteps } from './listed-steps.ts';
import { look } from './look.ts';
import { actionsFor } from './step-shape.ts';
import { BUILD, type Built, exec, hasFetch, type StepId } from './steps.ts';

/**
 * The steps of a datacenter deployment, `fetch` before its turn, then `guard → drain → stop → install → start → verify → enable → settle`, or those that its
 * strategy lists, and what each sequence has of them (DESIGN.md section 5). The actions that do them are those of this folder
 * and of src/actions.
 */
export const datacenterWith = (ofPlugins: readonly Action[]): Platform => ({
  steps: (name, settings) =>
    stepsOf(name, settings)
      .filter((item) => item !== 'verify' || settings.health !== undefined)
      .filter((item) => item !== 'settle' || settings.strategy.settleMs > 0)
      .map((item) =>
        typeof item === 'string'
          ? { id: item, ...tried(BUILD[item](settings, name), retriesOf(item, settings)) }
          : { id: item.id, ...tried(further(item, settings, ofPlugins), item.retries) },
      ),
  facts: factsOf,
  exec: (order) => [{ id: 'exec', ...exec(order) }],
  look,
  hostFacts: hostFact,
  hook: (hook, settings) => hooked(hook, settings, ofPlugins),
  checkSteps: (strategy, scripts) => {
    const known = { scripts, actions: actionsFor(ofPlugins) };
    return [...checkSteps(strategy, known), ...checkHooks(strategy, known)];
  },
  ofPlugins: new Set(ofPlugins.map(capabilityOf)),
  commands: commandsOf,
});

/** Without plug-ins. */
export const datacenter = datacenterWith([]);

function stepsOf(name: SequenceName, settings: Settings): readonly (StepId | FurtherStep)[] {
  if (name === 'reload' || name === 'reload-plain') return reloading(name, settings);
  const inTurn = settings.gate ? gated(name, settings) : listedSteps(name, settings.strategy);
  const steps = hasFetch(name, settings) ? ['fetch' as const, ...inTurn] : inTurn;
  if (!settings.commands.install || !settings.hasFiles) return steps;
  return steps.flatMap((item): readonly (StepId | FurtherStep)[] =>
    item === 'install' ? ['property-files', item] : [item],
  );
}

/** The service goes on all the while, and a gate stays open. A command that installs may not expect that. */
function reloading(name: SequenceName, { strategy, commands }: Settings): readonly (StepId | FurtherStep)[] {
  const put = commands.install ? 'property-files' : 'install';
  return listedSteps(name, strategy).flatMap((item): readonly (StepId | FurtherStep)[] =>
    item === 'install' ? [put, 'reload'] : [item],
  );
}

/**
 * With a gate on the host: closed after the drain, since it may cut off whom the balancer still sends, and opened when what it
 * hides is verified. A hard deployment only opens it: an earlier one may have left it closed.
 */
function gated(name: SequenceName, { strategy }: Settings): readonly (StepId | FurtherStep)[] {
  const steps = listedSteps(name, strategy);
  if (name.startsWith('others')) return steps;
  const last = steps.includes('verify') ? 'verify' : 'start';
  return steps.flatMap((item): readonly (StepId | FurtherStep)[] => {
    if (item === 'stop' && last === 'verify') return ['gate-close', 'stop'];
    return item === last ? [item, 'gate-open'] : [item];
  });
}

/** A fetch does what was a part of the install. */
const retriesOf = (item: StepId, { strategy: { retries } }: Settings): Retries | undefined =>
  (item === 'fetch' ? retries?.install : isOfCycle(item) ? retries?.[item] : undefined) ?? retries?.default;

const isOfCycle = (item: StepId): item is CycleStep => CYCLE.some((step) => step === item);

/** With the retries that the strategy wants: the step's time is that of its work, and the pauses come on top. */
function tried(built: Built, retries: Retries | undefined): Built {
  if (!retries) return built;
  const pauses = Array.from({ length: retries.max }, (_, done) => pauseMs(retries, done));
  return { ...built, retries, timeoutMs: pauses.reduce((sum, ms) => sum + ms, built.timeoutMs) };
}

const runs = ({ script, action = '' }: Hook): boolean =>
  script !== undefined || action.startsWith('host.run@');

/** Before the first deployment there is no folder of the project. */
function hooked(hook: Hook, all: Settings, ofPlugins: readonly Action[]): PlatformHook {
  const settings = { ...all, folder: hook.folder ?? '~' };
  const built = further(hook, settings, ofPlugins);
  const isLast = hook.at === 'on-failure' || hook.at === 'always';
  const inputs =
    isLast && runs(hook) ? { ...built.inputs, outcome: { outcome: true } as const } : built.inputs;
  return {
    step: { id: hook.id, ...tried({ ...built, inputs }, hook.retries) },
    facts: (target) => ({
      ...hostFact(target, settings),
      ...(settings.envDiffers && { env: { ...settings.env, ...target.env } }),
      ...furtherFacts(hook, target, settings),
    }),
  };
}

/** What differs per target: how to log in, its environment variables and where its health is asked. */
function factsOf(target: TargetConfig, settings: Settings): JsonObject {
  return {
    ...hostFact(target, settings),
    ...(settings.envDiffers && { env: { ...settings.env, ...target.env } }),
    ...healthFacts(target, settings.health?.check),
    ...furtherSteps(settings.strategy).reduce(
      (all, item) => ({ ...all, ...furtherFacts(item, target, settings) }),
      {},
    ),
  };
}

function hostFact(target: TargetConfig, settings: Settings): JsonObject {
  return { host: hostAddressOf(target, settings) };
}
