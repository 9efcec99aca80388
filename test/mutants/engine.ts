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
        from: 'ends.map(({ row, command }) => [row.deployment, command.id, JSON.stringify(command)]),',
        to: 'ends.flatMap(({ row, command }) => [1, 2].map(() => [row.deployment, command.id, JSON.stringify(command)])),',
      },
      {
        file: 'src/engine/decide.ts',
        from: 'return isCurrent(model, state, command.task) ? decideReport(model, state, command, facts) : [];',
        to: 'return decideReport(model, state, command, facts);',
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
        file: 'src/engine/evolve.ts',
        from: '    group: event.group,\n    step: 0,',
        to: '    group: event.group,\n    step: event.group === before.group ? before.step + 1 : 0,',
      },
    ],
  },
  {
    name: 'retry-goes-on-after-the-failed-step',
    story: 'A retried target goes on behind the step that failed, instead of from its beginning.',
    edits: [
      {
        file: 'src/engine/evolve.ts',
        from: '    group: event.group,\n    step: 0,',
        to: '    group: event.group,\n    step: before.step + 1,',
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
        from: '      facts.holds.in(observed),\n',
        to: '      [],\n',
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
        from: 'return stopped(state, waiting, at(state.targets, waiting).held !== null);',
        to: 'return stopped(state, waiting, at(state.targets, waiting).held === undefined);',
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
        from: "return state.status === 'paused' ? goOn : [...goOn, ...fresh(model, state)];",
        to: 'return [...goOn, ...fresh(model, state)];',
      },
    ],
  },
  {
    name: 'partial-success-called-failed',
    story:
      'A deployment that left one target behind is called failed, and its release is never one to return to (awx#9594).',
    edits: [
      {
        file: 'src/engine/advance.ts',
        from: "failed > 0 && (succeeded === 0 || model.plan.verb === 'rollback') ? 'failed' : 'succeeded';",
        to: "failed > 0 || succeeded < 0 ? 'failed' : 'succeeded';",
      },
    ],
  },
  {
    name: 'touched-target-passes-for-unchanged',
    story:
      'What a failed target runs is still taken to be what it ran before: the next deployment of that release leaves it alone (OctopusDeploy/Issues#5891).',
    edits: [
      {
        file: 'src/engine/turn.ts',
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
];
