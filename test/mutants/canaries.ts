import type { Mutant } from './mutant.ts';

/** Bugs of canaries that are judged: what a verdict is taken for, what follows from it, and what it is based on. */
export const CANARY_MUTANTS: readonly Mutant[] = [
  {
    name: 'unsure-taken-for-pass',
    story:
      'A canary of which nobody can say whether it is worse goes on (rollouts: an inconclusive analysis).',
    edits: [
      {
        file: 'src/actions/canary-told.ts',
        from: "if (verdict === 'pass' || inputs.goOn",
        to: "if (verdict === 'pass' || verdict === 'unsure' || inputs.goOn",
      },
    ],
  },
  {
    name: 'nothing-taken-for-nothing-wrong',
    story: 'Where a source has nothing to say of a canary, there is nothing that speaks against it.',
    edits: [
      {
        file: 'src/analysis/anytime/canary-judge.ts',
        from: "if (metrics.length === 0 || metrics.some(isMissing)) return 'no data';",
        to: "if (metrics.length === 0 || metrics.some(isMissing)) return 'pass';",
      },
    ],
  },
  {
    name: 'canary-reaction-of-any-failure',
    story:
      'A canary that is worse is dealt with as any step that fails: what its team wrote for it is not looked at.',
    edits: [
      {
        file: 'src/engine/budget.ts',
        from: '      return canary;',
        to: '      return other;',
      },
    ],
  },
  {
    name: 'resumed-past-its-judge',
    story: 'Who resumes a deployment that its canary has paused accepts the canary in passing.',
    edits: [
      {
        file: 'src/engine/decide-operator.ts',
        from: 'isHook(model, target) && FAILED.has(',
        to: 'isHook(model, target) && targetOf(model, target).facts.host !== undefined && FAILED.has(',
      },
    ],
  },
  {
    name: 'judge-at-the-end-of-its-lane',
    story: 'The canary is judged once all of its zone has changed.',
    edits: [
      {
        file: 'src/plan/judges.ts',
        from: 'lane.batches.toSpliced(last + 1, 0, batch)',
        to: 'lane.batches.toSpliced(last + lane.batches.length, 0, batch)',
      },
    ],
  },
  {
    name: 'decided-again-by-its-successor',
    story:
      'Who takes over a judge that has decided judges anew, and writes what it was decided on once more.',
    edits: [
      {
        file: 'src/actions/canary-judge.ts',
        from: 'return state.decided ? told(place, state, state.decided) : look(place, state);',
        to: 'return look(place, state);',
      },
    ],
  },
  {
    name: 'judged-by-what-was-before',
    story:
      'A worker whose clock is slow judges the canary by its time: by what was measured before its servers changed.',
    edits: [
      {
        file: 'src/actions/canary-judge.ts',
        from: 'Math.max(context.ports.clock.now(), until ?? 0);',
        to: 'context.ports.clock.now() + 0 * (until ?? 0);',
      },
    ],
  },
  {
    name: 'sides-exchanged',
    story: 'The canary is taken for the servers that it is compared with: one that is worse passes.',
    edits: [
      {
        file: 'src/analysis/measured.ts',
        from: "const [canary, baseline] = [all('canary'), all('baseline')];",
        to: "const [canary, baseline] = [all('baseline'), all('canary')];",
      },
    ],
  },
];
