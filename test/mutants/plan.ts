import type { Mutant } from './mutant.ts';

/** Bugs of plans: what is to be done, in which order, and what is returned to what. */
export const PLAN_MUTANTS: readonly Mutant[] = [
  {
    name: 'early-undrain',
    story: 'A target is returned to service before it was verified.',
    edits: [
      {
        file: 'src/domain/strategy.ts',
        from: "'start', 'verify', 'enable', 'settle'] as const;",
        to: "'start', 'enable', 'verify', 'settle'] as const;",
      },
    ],
  },
  {
    name: 'own-steps-before-the-drain',
    story:
      'Further steps of a strategy are done before those of the cycle: they change a service that serves.',
    edits: [
      {
        file: 'src/platforms/datacenter/listed-steps.ts',
        from: 'const list: StepList = steps?.datacenter ?? CYCLE;',
        to: `const list: StepList = (steps?.datacenter ?? CYCLE).toSorted(
    (a, b) => Number(typeof a === 'string') - Number(typeof b === 'string'),
  );`,
      },
    ],
  },
  {
    name: 'rollback-to-the-parents-release',
    story: "A rollback puts its parent's release on all targets, and not on each what it had before.",
    edits: [
      {
        file: 'src/plan/rollback.ts',
        from: '    release: before,\n    before: target.release ?? before,',
        to: '    release: plan.release ?? before,\n    before: target.release ?? before,',
      },
    ],
  },
  {
    name: 'one-before-for-all',
    story:
      'A rollback puts on all targets what the first one had before, also where the fleet was mixed (rollouts#2669: the way back brings a mixture).',
    edits: [
      {
        file: 'src/plan/rollback.ts',
        from: '    release: before,\n    before: target.release ?? before,',
        to: '    release: returned[0]?.before ?? before,\n    before: target.release ?? before,',
      },
    ],
  },
  {
    name: 'rollback-serves-at-once',
    story: 'A rollback returns its targets to service as soon as they have started (rollouts#3941).',
    edits: [
      {
        file: 'src/plan/rollback.ts',
        from: 'filter(([name]) => used.has(name)));',
        to: "filter(([name]) => used.has(name)).map(([name, steps]) => [name, steps.filter(({ id }) => id !== 'verify')]));",
      },
    ],
  },
  {
    name: 'rollback-forgets-what-is-out',
    story:
      'A rollback looks after the targets that serve, and leaves out those that are out of service (orca#4579).',
    edits: [
      {
        file: 'src/plan/rollback.ts',
        from: 'if (!target || !batch || target.before === null) return [];',
        to: 'if (!target || !batch || target.before === null || held) return [];',
      },
    ],
  },
  {
    name: 'drain-left-out',
    story:
      'A target is stopped without being drained, as an update of a Storm topology is a kill (apache/storm#4009).',
    edits: [
      {
        file: 'src/platforms/datacenter/listed-steps.ts',
        from: '  rolling: CYCLE,',
        to: "  rolling: CYCLE.filter((step) => step !== 'drain'),",
      },
    ],
  },
  {
    name: 'hold-given-back-too-early',
    story: 'The hold on a member ends when it is verified, before it is in service again (rollouts#2050).',
    edits: [
      {
        file: 'src/platforms/datacenter/steps.ts',
        from: '    timeoutMs: health.windowMs + SLACK_MS,\n',
        to: "    timeoutMs: health.windowMs + SLACK_MS,\n    ...(!restarts && { hold: 'give' as const }),\n",
      },
      {
        file: 'src/platforms/datacenter/steps.ts',
        from: "    hold: 'give',\n",
        to: '',
      },
    ],
  },
];
