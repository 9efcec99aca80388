import { EdgeError } from '../domain/errors.ts';
import { assemble } from './assemble.ts';
import { capacityCurve } from './capacity.ts';
import { refuseCommands } from './commands.ts';
import { spareCapacity } from './floors.ts';
import { forecast } from './forecast.ts';
import { planHash } from './hash.ts';
import { withHooks } from './hooks.ts';
import { withJudges } from './judges.ts';
import { notesOf } from './notes.ts';
import { refuseReload } from './reload.ts';
import type { Planned, PlanRequest } from './request.ts';
import type { Platform } from './sequences.ts';
import { resolveSettings, type Settings } from './settings.ts';
import { stagesOf, type Worked } from './stages.ts';
import { type Candidate, type Survey, survey, type Treatment, treatmentOf } from './targets.ts';

export const MAX_TARGETS = 20_000;

/**
 * The plan of a deployment, a restart or a rollback that a person asks for, with what stands beside it. Pure: equal
 * requests give equal plans and hashes. Throws `plan_empty`, `plan_too_large`, `floor_impossible`, `target_unknown`,
 * `balancer_member_unknown`, `config_reference`, `config_invalid`, `host_key_unknown`, `command_refused`.
 */
export function buildPlan(request: PlanRequest, platform: Platform): Planned {
  const before = new Set(request.fleet.map((target) => target.before));
  const known = request.releases.filter(({ id }) => before.has(id));
  const resolved = resolveSettings(request, request.release ? [request.release, ...known] : known);
  const settings = { ...resolved, installsAnew: installsAnew(request) };
  refuseSteps(platform, settings);
  const seen = survey(request, settings);
  const { strategy, zones, canary } = settings;
  const treated = treat(seen, request, strategy.others);
  const candidates = treated.flatMap(([target, { kind }]) => (kind === 'work' ? [target] : []));
  refuseEmpty(candidates, request, seen);
  refuseReload(treated, request, settings);
  const targets = treated.flatMap(([target, treatment]) => worked(target, treatment));
  const { spare, short } = spareCapacity(targets, seen.pools, request.heldByOthers);
  const order = { verb: request.verb, hard: request.hard, zones: zones.map(({ name }) => name) };
  const stages = stagesOf(targets, { ...order, canary, strategy, spare });
  const context = { request, settings, seen, platform };
  const bare = assemble(context, { candidates, targets, stages });
  const judged = withJudges(bare, context);
  const plan = withHooks(judged, context);
  refuseCommands(plan, platform, request.environment);
  const capacity = capacityCurve(plan.stages, targets, seen.pools);
  const isJudged = judged !== bare;
  const notes = notesOf({ request, settings, seen, treated, plan: bare, isJudged, short, capacity });
  return { plan, hash: planHash(plan), notes, capacity, forecast: forecast(plan, request.past?.history) };
}

const installsAnew = ({ verb, options, reload }: PlanRequest): boolean =>
  verb === 'deploy' && options.force && !reload;

/** They were looked at when they were applied; an older Edge, or none, may have done that. */
function refuseSteps(platform: Platform, { strategy, scripts }: Settings): void {
  const [wrong] = platform.checkSteps(strategy, scripts);
  if (!wrong) return;
  const { message, hint, path, code = 'config_invalid' } = wrong;
  throw new EdgeError(code, `The steps of the strategy: ${message}`, {
    where: { path: path.join('.') },
    ...(hint !== undefined && { hint }),
  });
}

function refuseEmpty(
  work: readonly unknown[],
  { verb, projectEnvironment }: PlanRequest,
  seen: Survey,
): void {
  if (work.length > MAX_TARGETS) {
    throw new EdgeError(
      'plan_too_large',
      `The plan has ${work.length} targets; at most ${MAX_TARGETS} are possible`,
    );
  }
  if (work.length > 0) return;
  const place = `${projectEnvironment.project}/${projectEnvironment.environment}`;
  const nothing = seen.chosen.every(({ inService }) => !inService);
  if (verb === 'restart' || nothing) {
    throw new EdgeError('plan_empty', `No target of ${place} is in service, so there is nothing to ${verb}`, {
      hint: 'Bring servers back into service on the balancer first; `edge status` shows what is parked.',
    });
  }
  throw new EdgeError('plan_empty', `All targets of ${place} are on this release, running and in service`, {
    hint: 'Use --force to install it again.',
  });
}

function treat(
  { chosen, cold }: Survey,
  request: PlanRequest,
  others: boolean,
): readonly (readonly [Candidate, Treatment])[] {
  return chosen.map((target) => [target, treatmentOf(target, request, { cold, others })]);
}

function worked({ zone, members, parked }: Candidate, treatment: Treatment): readonly Worked[] {
  if (treatment.kind === 'leave') return [];
  const { sequence, other } = treatment;
  return [{ zone, members, sequence, other, parked }];
}
