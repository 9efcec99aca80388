import type { Mutant } from './mutant.ts';

/** Bugs of the actions: commands on hosts, health, balancers. */
export const ACTION_MUTANTS: readonly Mutant[] = [
  {
    name: 'blind-retry',
    story:
      'Another attempt starts the command again under a new name, without a look at whether the first still runs.',
    edits: [
      {
        file: 'src/actions/remote-command.ts',
        from: 'id: remoteIdOf(context.task, command.ordinal),',
        to: 'id: remoteIdOf(context.task, command.ordinal + 10 * (context.attempt - 1)),',
      },
    ],
  },
  {
    name: 'two-starts-are-two-runs',
    story:
      'The name of a command on its host has the claim in it: whoever goes on starts a second run (the async job id of Ansible, which has a pid in it).',
    edits: [
      {
        file: 'src/actions/remote-command.ts',
        from: 'id: remoteIdOf(context.task, command.ordinal),',
        to: 'id: remoteIdOf(context.task, command.ordinal + 10 * (context.epoch - 1)),',
      },
    ],
  },
  {
    name: 'retried-beside-the-old-one',
    story:
      'A target is tried again while a command of before, of which nobody saw the end, goes on: it stops the service after all went well.',
    edits: [
      {
        file: 'src/actions/remote-command.ts',
        from: 'if (group === 0) return undefined;',
        to: 'if (group >= 0) return undefined;',
      },
    ],
  },
  {
    name: 'act-before-intent',
    story:
      'The command may start before its dispatch is on the board: a cancel after a crash takes it for never started.',
    edits: [
      {
        file: 'src/actions/remote-command.ts',
        from: 'await context.saveCheckpoint(progress.checkpoint(first));',
        to: 'void context.saveCheckpoint(progress.checkpoint(first)).catch(() => undefined);',
      },
    ],
  },
  {
    name: 'unknown-is-success',
    story: 'A command whose end nobody saw counts as one that ended well.',
    edits: [
      {
        file: 'src/actions/remote-command.ts',
        from: "return { kind: 'open', outcome: { kind: 'unknown', seen: status.seen } };",
        to: "return { kind: 'exited', code: 0, outputBytes: 0, droppedBytes: 0, lastLines };",
      },
    ],
  },
  {
    name: 'host-not-recognised',
    story:
      'The host is not compared with the one that the command was sent to: on one that was set up anew it is started again (rundeck#564).',
    edits: [
      {
        file: 'src/actions/remote-command.ts',
        from: '...(seen && { expect: seen.identity }),',
        to: '...(seen && {}),',
      },
    ],
  },
  {
    name: 'failed-notice-for-a-success',
    story:
      'A connection that is cut while a command runs is taken for the failure of the command (awx#9594).',
    edits: [
      {
        file: 'src/actions/remote-command.ts',
        from: 'if (!seen) return outcomeOfError(error);',
        to: "if (!seen || retryable) return { ...outcomeOfError(error), kind: 'failed', error: { code: error.code, message: error.message }, retryable: false };",
      },
    ],
  },
  {
    name: 'flap-does-not-reset-the-window',
    story:
      'A look that fails between two that pass is forgotten: a service that comes and goes is taken for well.',
    edits: [
      {
        file: 'src/actions/health-verify.ts',
        from: 'inRow: look.passed ? state.inRow + 1 : 0,',
        to: 'inRow: look.passed ? state.inRow + 1 : state.inRow,',
      },
    ],
  },
  {
    name: 'no-health-window',
    story: 'One look that passes is enough (rollouts#3941: ready once is taken for available).',
    edits: [
      {
        file: 'src/actions/health-verify.ts',
        from: 'if (inRow >= inputs.passes) return',
        to: 'if (inRow >= 1) return',
      },
    ],
  },
  {
    name: 'any-version-will-do',
    story:
      'A service that answers is taken for the new release: one that was never stopped passes too (nomad#6864).',
    edits: [
      {
        file: 'src/actions/health-look.ts',
        from: 'if (running === version) return undefined;',
        to: 'if (running !== undefined) return undefined;',
      },
    ],
  },
  {
    name: 'drain-forgotten-by-a-reload',
    story:
      'A member that a reload of the balancer has enabled again is not drained again, and the drain counts as done (GitLab incidents 4457 and 4485).',
    edits: [
      {
        file: 'src/platforms/datacenter/balancer-drain.ts',
        from: 'const seen = await disabled(context, inputs, state);',
        to: `const first = state.looks === 0;
      const seen = first
        ? await disabled(context, inputs, state)
        : pick(await lookAtPools(context, inputs.balancers, inputs.members), inputs.members);`,
      },
      {
        file: 'src/platforms/datacenter/balancer-drain.ts',
        from: 'seen.every(({ state }) => state.connections === 0)',
        to: "seen.every(({ state }) => state.admin === 'enabled' || state.connections === 0)",
      },
    ],
  },
  {
    name: 'drain-not-waited-for',
    story: 'The drain is done as soon as the balancer has taken the order (k8s-bigip-ctlr#2192).',
    edits: [
      {
        file: 'src/platforms/datacenter/balancer-drain.ts',
        from: 'if (seen.length === 0 || state.quiet >= QUIET_LOOKS) {',
        to: 'if (seen.length >= 0 || state.quiet >= QUIET_LOOKS) {',
      },
    ],
  },
  {
    name: 'drained-where-one-balancer-says-so',
    story:
      'A target behind several balancers counts as drained when one of them has no connection to it left (f5-appsvcs-extension#581).',
    edits: [
      {
        file: 'src/platforms/datacenter/balancer-drain.ts',
        from: 'seen.every(({ state }) => state.connections === 0);',
        to: 'seen.some(({ state }) => state.connections === 0);',
      },
    ],
  },
  {
    name: 'success-before-it-serves',
    story:
      'A member that was enabled counts as returned, whether or not its balancer sees it up (ECS: accepted is not stable).',
    edits: [
      {
        file: 'src/platforms/datacenter/balancer-enable.ts',
        from: 'if (down.length === 0) return done(seen);',
        to: 'if (down.length >= 0) return done(seen);',
      },
    ],
  },
  {
    name: 'others-returned-to-service',
    story: 'What was out of service before is put into service together with the rest.',
    edits: [
      {
        file: 'src/platforms/datacenter/listed-steps.ts',
        from: "'others-stopped': ['install'],",
        to: "'others-stopped': ['guard', 'drain', 'stop', 'install', 'start', 'verify', 'enable'],",
      },
      {
        file: 'src/platforms/datacenter/balancer-enable.ts',
        from: '    ref.asFound,\n    context.lost,',
        to: "    { ...ref.asFound, admin: 'enabled' },\n    context.lost,",
      },
    ],
  },
  {
    name: 'down-counts-as-serving',
    story:
      'A member that is enabled counts as serving, also when its balancer sees it down (rollouts#2050: replicas are counted, not those that are available).',
    edits: [
      {
        file: 'src/platforms/datacenter/capacity-guard.ts',
        from: 'states.filter((state) => !isInService(state))',
        to: "states.filter((state) => state.admin !== 'enabled' && !isInService(state))",
      },
    ],
  },
  {
    name: 'only-the-first-pool-guarded',
    story:
      'Of a target in several pools only the first is looked at before it is taken out (rollouts#4534: one of two services is left without an upstream).',
    edits: [
      {
        file: 'src/platforms/datacenter/capacity-guard.ts',
        from: 'observed: pools.map(observationOf), members }',
        to: 'observed: pools.slice(0, 1).map(observationOf), members }',
      },
    ],
  },
];
