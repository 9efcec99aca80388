import type { Mutant } from './mutant.ts';

/** Bugs of what the engine decides. */
export const ENGINE_MUTANTS: readonly Mutant[] = [
  {
    name: 'as-found-lost',
    story:
      'A target that is tried again records its members as Edge itself left them, drained, and is later returned to that.',
    edits: [
      {
        file: 'src/engine/capacity.ts',
        from: 'return hold ? { ...member, asFound: hold.asFound } : member;',
        to: 'return hold ? { ...member } : member;',
      },
    ],
  },
  {
    name: 'duplicate-inbox-row',
    story: 'A report stands twice in the inbox and is applied twice, so that the target leaves out a step.',
    edits: [
      {
        file: 'src/adapters/sql/report.ts',
        from: 'ends.map(({ text }) => text),',
        to: 'ends.flatMap(({ text }) => [text, text]),',
      },
      {
        file: 'src/engine/decide.ts',
        from: 'if (!granted || command.task !== currentTask(model, state, key.target)) return [];',
        to: "if (command.kind === 'deadline' && !granted) return [];",
      },
    ],
  },
  {
    name: 'abort-ignores-running',
    story: 'An abort starts nothing new, but lets the commands that run now run on.',
    edits: [
      {
        file: 'src/engine/decide-operator.ts',
        from: "next: 'nothing', status: 'aborted' },\n    ...cancelling(model, state),",
        to: "next: 'nothing', status: 'aborted' },\n    ...cancelling(model, state).slice(0, 0),",
      },
    ],
  },
  {
    name: 'skipped-target-enabled',
    story: '"Skip" skips the failed step and goes on with the next one, which returns the target to service.',
    edits: [
      {
        file: 'src/engine/decide-operator.ts',
        from: "return [{ kind: 'target.skipped', target, by, reason, parked: record.held !== null }];",
        to: `if (record.held !== null) return [{ kind: 'target.retried', target, by, reason, group: record.group }];
  return [{ kind: 'target.skipped', target, by, reason, parked: false }];`,
      },
      {
        file: 'src/engine/go-on.ts',
        from: 'group: event.group, step: 0,',
        to: 'group: event.group, step: event.group === before.group ? before.step + 1 : 0,',
      },
    ],
  },
  {
    name: 'retry-goes-on-after-the-failed-step',
    story: 'A retried target goes on behind the step that failed, instead of from its beginning.',
    edits: [
      {
        file: 'src/engine/go-on.ts',
        from: 'group: event.group, step: 0,',
        to: 'group: event.group, step: before.step + 1,',
      },
    ],
  },
  {
    name: 'attempt-counter-never-reset',
    story:
      'The tries of a target are counted over all its steps: a long deployment with many short faults fails (orca#4479).',
    edits: [
      {
        file: 'src/engine/evolve.ts',
        from: '    cancelling: null,\n    retries: 0,\n    refusedSince: null,\n    outputs,',
        to: '    cancelling: null,\n    refusedSince: null,\n    outputs,',
      },
    ],
  },
  {
    name: 'abort-with-nothing-in-progress',
    story: 'An abort while nothing runs takes back what is done already (rollouts#1292).',
    edits: [
      {
        file: 'src/engine/decide-operator.ts',
        from: "{ kind: 'deployment.stopping', by, abort: true, reason, next: 'nothing', status: 'aborted' },\n    ...cancelling",
        to: `{
      kind: 'deployment.stopping',
      by,
      abort: true,
      reason,
      next: state.counts.active === 0 ? 'rollback' : 'nothing',
      status: 'aborted',
    },
    ...cancelling`,
      },
    ],
  },
  {
    name: 'old-capacity-gone-first',
    story:
      'Only members that are seen out of service count, not those that are about to be taken out: old capacity goes before new is there (rollouts#2050).',
    edits: [
      {
        file: 'src/engine/capacity.ts',
        from: 'const holds = [...facts.holds.in(pool)];',
        to: 'const holds: readonly MemberRef[] = [];',
      },
    ],
  },
  {
    name: 'zone-floor-not-looked-at',
    story: 'Only the floor of a pool is kept: all of one of its zones may be out (docs/decisions/0019).',
    edits: [
      {
        file: 'src/engine/capacity.ts',
        from: 'for (const floor of model.floors.get(key) ?? []) {',
        to: 'for (const floor of (model.floors.get(key) ?? []).filter(({ members }) => !members)) {',
      },
    ],
  },
  {
    name: 'held-by-its-own',
    story:
      'A target that waits for one of its own batch counts as waiting for capacity: a smaller batch is held.',
    edits: [
      {
        file: 'src/engine/decide-report.ts',
        from: "const isWaiting = state.status !== 'running' || isOwnDoing;",
        to: "const isWaiting = state.status !== 'running';",
      },
    ],
  },
  {
    name: 'grants-of-one-turn-blind',
    story:
      'Each grant of a turn is decided on the holds from before the turn: together they break the floor (MDEV-38974, lost update).',
    edits: [
      {
        file: 'src/engine/turn.ts',
        from: 'this.#ledger.take(event.members.map((member) => taking(this.model.id, name, member)));',
        to: 'void event.members.map((member) => taking(this.model.id, name, member));',
      },
    ],
  },
  {
    name: 'healthy-taken-out-when-new-ones-fail',
    story: 'A rollback is free of the floor for all targets, also for those that serve (nomad#6864).',
    edits: [
      {
        file: 'src/engine/capacity.ts',
        from: 'inService: 0, floor: 0 } : shortPool(model, seen, facts);',
        to: "inService: 0, floor: 0 } : model.plan.verb === 'rollback' ? undefined : shortPool(model, seen, facts);",
      },
    ],
  },
  {
    name: 'stalls-though-all-are-healthy',
    story:
      'A batch waits for a target that was skipped before it opened, although all others are done (nomad#27382).',
    edits: [
      {
        file: 'src/engine/evolve.ts',
        from: "const ended = of.targets.filter((target) => at(state.targets, target).status !== 'pending').length;",
        to: 'const ended = of.targets.filter((target) => at(state.targets, target).status === null).length;',
      },
    ],
  },
  {
    name: 'one-lane-starves-the-others',
    story:
      'A lane that has nothing more to start keeps the lanes beside it from starting anything (nomad#25726).',
    edits: [
      {
        file: 'src/engine/pending.ts',
        from: 'if (queue.taken === queue.waiting.length) continue;',
        to: 'if (queue.taken === queue.waiting.length) return undefined;',
      },
    ],
  },
  {
    name: 'success-resets-failures',
    story:
      'Each success sets the count of failures back, so that a fleet may fail target by target (the circuit breaker of ECS).',
    edits: [
      {
        file: 'src/engine/evolve.ts',
        from: 'failures: state.failures + counted };',
        to: "failures: event.kind === 'target.succeeded' ? 0 : state.failures + counted };",
      },
    ],
  },
  {
    name: 'goes-on-after-a-failed-target',
    story: 'A spent budget of failures is noted, and the deployment goes on (OctopusDeploy/Issues#7078).',
    edits: [
      {
        file: 'src/engine/decide-report.ts',
        from: 'return [event, ...reaction(failed, evolve(model, state, event))];',
        to: 'return [event, ...reaction(failed, evolve(model, state, event)).slice(0, 0)];',
      },
    ],
  },
  {
    name: 'aborted-target-lost',
    story:
      'A target that is stopped between two steps while out of service is left there without an owner (orca#4579, half-made server groups).',
    edits: [
      {
        file: 'src/engine/advance.ts',
        from: 'return endedBetween(state, waiting, at(state.targets, waiting).held !== null);',
        to: 'return endedBetween(state, waiting, at(state.targets, waiting).held === undefined);',
      },
    ],
  },
  {
    name: 'fresh-targets-while-paused',
    story:
      'A paused deployment goes on to take fresh targets (rundeck#1444: the button changes what is shown, not what is done).',
    edits: [
      {
        file: 'src/engine/pending.ts',
        from: "if (state.status === 'paused') return goOn;",
        to: '',
      },
    ],
  },
  {
    name: 'prepares-on-while-paused',
    story: 'A paused deployment takes no fresh target, and goes on to prepare the next ones.',
    edits: [
      {
        file: 'src/engine/pending.ts',
        from: "if (state.status === 'paused') return goOn;",
        to: "if (state.status === 'paused') return [...goOn, ...ahead(model, state, 0)];",
      },
    ],
  },
  {
    name: 'prepared-counts-as-touched',
    story: 'A target that was only prepared is rolled back: it is taken out of service for nothing.',
    edits: [
      {
        file: 'src/domain/plan.ts',
        from: "hold !== 'take' && !ahead;",
        to: "hold !== 'take' || ahead === true;",
      },
    ],
  },
  {
    name: 'ends-while-it-prepares',
    story: 'A deployment that stops ends while a target of its next batch is still being prepared.',
    edits: [
      {
        file: 'src/engine/advance.ts',
        from: 'active + ahead > 0',
        to: 'active + 0 * ahead > 0',
      },
    ],
  },
  {
    name: 'abort-forgets-what-is-prepared',
    story:
      'An abort asks what runs in the open batch to end, and forgets the next one, which is being prepared.',
    edits: [
      {
        file: 'src/engine/running.ts',
        from: 'batch === lane.batch || batch === lane.batch + 1);',
        to: 'batch === lane.batch);',
      },
    ],
  },
  {
    name: 'failed-before-its-turn-is-free',
    story: 'What could not be prepared spends nothing of the budgets of its batch and its zone.',
    edits: [
      {
        file: 'src/engine/evolve.ts',
        from: 'const counting = { ...lane, aheadFailures, zoneFailures: lane.zoneFailures + counted };',
        to: 'const counting = { ...lane };',
      },
    ],
  },
  {
    name: 'next-batch-prepared-by-all-at-once',
    story: 'The targets of all batches are prepared at once, as many as there are.',
    edits: [
      {
        file: 'src/engine/pending.ts',
        from: 'if (lane.ahead + found.length >= most) break;',
        to: 'if (most < 0) break;',
      },
      {
        file: 'src/engine/pending.ts',
        from: 'const room = Math.max(left, open === 0 ? 1 : 0);',
        to: 'const room = 1_000 + left;',
      },
    ],
  },
  {
    name: 'fetches-fill-the-slots',
    story:
      'As many are prepared as are worked on, so that servers that are out of service wait for a slot of a worker.',
    edits: [
      {
        file: 'src/engine/pending.ts',
        from: 'const left = model.plan.policy.parallel - state.counts.active - ready - open;',
        to: 'const left = model.plan.policy.parallel + ready - ready - open;',
      },
    ],
  },
  {
    name: 'rollback-waits-for-uploads',
    story:
      'A deployment that stops lets what it prepares go on, and its rollback begins when the last upload has ended.',
    edits: [
      {
        file: 'src/engine/decide-report.ts',
        from: '...(abort ? cancelling(model, after) : cancellingAhead(model, after))',
        to: '...(abort ? cancelling(model, after) : cancellingAhead(model, after).slice(0, 0))',
      },
    ],
  },
  {
    name: 'partial-success-called-failed',
    story:
      'A deployment that left one target behind is called failed, and its release is never one to return to (awx#9594).',
    edits: [
      {
        file: 'src/engine/outcome.ts',
        from: "return failed > 0 && (succeeded === 0 || plan.verb === 'rollback');",
        to: 'return failed > 0 || succeeded < 0;',
      },
    ],
  },
  {
    name: 'touched-target-passes-for-unchanged',
    story:
      'What a failed target runs is still taken to be what it ran before: the next deployment of that release leaves it alone (OctopusDeploy/Issues#5891).',
    edits: [
      {
        file: 'src/engine/marks.ts',
        from: "event.kind === 'target.failed' && at(state.targets, event.target).touched",
        to: "event.kind === 'target.failed' && at(state.targets, event.target).touched === null",
      },
    ],
  },
  {
    name: 'zombie-cannot-be-cancelled',
    story: 'A task that did not end when it was told to is told again and again, for ever (spinnaker#6224).',
    edits: [
      {
        file: 'src/engine/decide.ts',
        from: 'if (target.cancelling === null) {',
        to: 'if (target.granted) {',
      },
    ],
  },
  {
    name: 'resolved-while-it-may-run',
    story: 'A person sets the result of a step that still runs, and the next one begins beside it.',
    edits: [
      {
        file: 'src/engine/resolve-task.ts',
        from: "if (record.status !== 'failed' && record.status !== 'unknown') return",
        to: "if (!record.granted && record.status !== 'failed' && record.status !== 'unknown') return",
      },
      {
        file: 'src/operations/resolve.ts',
        from: "if (target.status !== 'failed' && target.status !== 'unknown')",
        to: "if (target.status === 'pending')",
      },
    ],
  },
  {
    name: 'stale-result-by-hand',
    story: 'What a person said of an attempt counts for the one that came after it.',
    edits: [
      {
        file: 'src/engine/resolve-task.ts',
        from: "if (command.task !== currentTask(model, state, target)) return 'the target has been worked on since';",
        to: '',
      },
    ],
  },
  {
    name: 'result-by-hand-not-audited',
    story: 'A result that a person set stands in the record without who and why.',
    edits: [
      {
        file: 'src/engine/resolve-task.ts',
        from: 'step, group, as, by, reason };',
        to: "step, group, as, by: by && 'engine', reason: reason && '' };",
      },
    ],
  },
  {
    name: 'unverified-passes-for-verified',
    story: 'A target whose check a person has called passed ends like one that Edge has seen to be well.',
    edits: [
      {
        file: 'src/engine/go-on.ts',
        from: 'unverified: before.unverified || verifies(stepOf(model, event.target, event.step)),',
        to: 'unverified: before.unverified && verifies(stepOf(model, event.target, event.step)),',
      },
    ],
  },
  {
    name: 'parked-while-worked-on',
    story:
      'A target that goes on by the word of a person stays parked, and any other deployment may take its member.',
    edits: [
      {
        file: 'src/engine/resolve-task.ts',
        from: "...(held ? [{ kind: 'capacity.taken', target, members: held } as const] : []),",
        to: '',
      },
    ],
  },
  {
    name: 'one-retry-more',
    story: 'A step is tried once more than it has retries.',
    edits: [
      {
        file: 'src/engine/decide-report.ts',
        from: 'if (done >= retries.max) return undefined;',
        to: 'if (done > retries.max) return undefined;',
      },
    ],
  },
  {
    name: 'left-out-and-worked-on',
    story:
      'A target that is left out while its step runs goes on with the next one (OctopusDeploy/Issues#5891).',
    edits: [
      {
        file: 'src/engine/decide-report.ts',
        from: 'else if (record.skip)',
        to: 'else if (state.stop)',
      },
    ],
  },
  {
    name: 'no-hooks-after-a-stop',
    story: 'A deployment that stops ends at once, and what its hooks were to switch on again stays off.',
    edits: [
      {
        file: 'src/engine/advance.ts',
        from: 'return (goesBack() ? undefined : lastHooks(model, state, facts)) ??',
        to: 'return (goesBack() || stop ? undefined : lastHooks(model, state, facts)) ??',
      },
    ],
  },
  {
    name: 'goes-on-without-its-hook',
    story: 'A hook before the deployment fails, and the targets change all the same.',
    edits: [
      {
        file: 'src/engine/decide-report.ts',
        from: "if (plan.verb === 'rollback') return undefined;",
        to: "if (plan.verb !== 'restart') return undefined;",
      },
    ],
  },
  {
    name: 'hooks-counted-as-targets',
    story: 'A deployment tells of more targets that are done than it has.',
    edits: [
      {
        file: 'src/engine/evolve.ts',
        from: 'const one = isHook(model, event.target) ? 0 : 1;',
        to: 'const one = isHook(model, event.target) ? 1 : 1;',
      },
    ],
  },
];
