import type { Mutant } from './mutant.ts';

/** Bugs of who lets a deployment start, and when. */
export const APPROVAL_MUTANTS: readonly Mutant[] = [
  {
    name: 'requester-approves',
    story: 'Who asked for a deployment approves it (awx#10610).',
    edits: [
      {
        file: 'src/engine/approvals.ts',
        from: "if (command.by === state.requestedBy) return 'who has asked for it cannot approve it';",
        to: '',
      },
    ],
  },
  {
    name: 'one-person-counts-twice',
    story: 'The same person approves twice, and is counted as two.',
    edits: [
      {
        file: 'src/engine/approvals.ts',
        from: "return state.approvedBy.includes(command.by) ? 'that is approved by the same person already' : undefined;",
        to: 'return undefined;',
      },
    ],
  },
  {
    name: 'approval-of-another-plan',
    story: 'Somebody approves the plan that they have read, and it counts for the one that is there by now.',
    edits: [
      {
        file: 'src/engine/approvals.ts',
        from: "if (command.planHash !== state.planHash) return 'its plan is another one';",
        to: '',
      },
    ],
  },
  {
    name: 'starts-one-approval-too-early',
    story: 'The approval that is just being given is counted twice.',
    edits: [
      {
        file: 'src/engine/approvals.ts',
        from: 'state.approvedBy.length + 1 >=',
        to: 'state.approvedBy.length + 2 >=',
      },
    ],
  },
  {
    name: 'prepares-while-it-waits',
    story: 'A deployment that waits for approvals fetches its release to the first targets meanwhile.',
    edits: [
      {
        file: 'src/engine/turn.ts',
        from: 'const granted = pending(model, log.state);',
        to: `const isFirst = log.state.status === 'pending' && log.state.abortAt !== null && log.events.length > 0;
  const granted = isFirst ? [0] : pending(model, log.state);`,
      },
      {
        file: 'src/engine/turn.ts',
        from: '  if (granted.length > 0) log.grant(granted);',
        to: '  if (granted.length > 0 && !isFirst) log.grant(granted);',
      },
    ],
  },
  {
    name: 'edit-after-the-look',
    story:
      'What the plan was made from is looked at when somebody approves, and not any more when that counts.',
    edits: [
      {
        file: 'src/adapters/sql/commit.ts',
        from: "if (changed.length > 0) return { kind: 'outdated', changed };",
        to: '',
      },
    ],
  },
  {
    name: 'outdated-plan-is-promoted',
    story: 'Whoever promotes a deployment starts a plan that the configuration does not give any more.',
    edits: [
      {
        file: 'src/engine/approvals.ts',
        from: "kind === 'deployment.approved' || kind === 'deployment.promoted'",
        to: "kind === 'deployment.approved'",
      },
    ],
  },
  {
    name: 'rollback-waits-for-approvals',
    story: 'The rollback of a failed deployment waits for people at night.',
    edits: [
      {
        file: 'src/plan/rollback.ts',
        from: '    ...covered,\n',
        to: '    ...covered, ...(_ && { approvals: _ }),\n',
      },
    ],
  },
  {
    name: 'waits-for-ever',
    story: 'A deployment that nobody approves holds its environment until somebody finds it.',
    edits: [
      {
        file: 'src/engine/approvals.ts',
        from: 'abortAt: now + limitMs };',
        to: 'abortAt: now + 1_000 * limitMs };',
      },
    ],
  },
];
