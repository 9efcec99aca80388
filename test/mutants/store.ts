import type { Mutant } from './mutant.ts';

/** Bugs of the store: what a transaction compares, and what it leaves behind. */
export const STORE_MUTANTS: readonly Mutant[] = [
  {
    name: 'acknowledge-before-claim',
    story:
      'A report leaves the inbox when it is read, and not with the commit that has dealt with it: a crash between loses it.',
    edits: [
      {
        file: 'src/adapters/sql/load.ts',
        from: "import { all, first, type Operation, type Scope } from './operation.ts';",
        to: "import { all, first, type Operation, run, type Scope } from './operation.ts';",
      },
      {
        file: 'src/adapters/sql/load.ts',
        from: '    limit + 1,\n  );\n  return {',
        to: "    limit + 1,\n  );\n  if (rows.length > 0) yield* run('DELETE FROM inbox WHERE deployment = ?', deployment);\n  return {",
      },
    ],
  },
  {
    name: 'floor-read-before-the-grant',
    story:
      'The floor is judged on holds that were read before, and nobody looks whether another deployment took some since.',
    edits: [
      {
        file: 'src/adapters/sql/holds.ts',
        from: 'if (version !== (changes.poolVersions[poolKey(pool)] ?? 0)) return false;',
        to: 'if (version < 0) return false;',
      },
    ],
  },
  {
    name: 'epoch-not-checked',
    story: 'A commit is taken from whoever comes, also from a driver whose lease another has since.',
    edits: [
      {
        file: 'src/adapters/sql/commit.ts',
        from: 'WHERE id = ? AND lease_owner = ? AND lease_epoch = ? AND stream_version = ?',
        to: 'WHERE id = ? AND ? IS NOT NULL AND ? >= 0 AND stream_version = ?',
      },
    ],
  },
  {
    name: 'stale-result-accepted',
    story: 'What a worker reports counts also after another one has claimed the task.',
    edits: [
      {
        file: 'src/adapters/sql/held.ts',
        from: "AND owner = ? AND state = 'claimed'",
        to: "AND ? IS NOT NULL AND state = 'claimed'",
      },
      {
        file: 'src/adapters/sql/held.ts',
        from: 'rows.filter((row) => epochs.get(row.id) === row.epoch)',
        to: 'rows.filter((row) => epochs.has(row.id))',
      },
      {
        file: 'src/adapters/sql/report.ts',
        from: 'if (row?.epoch !== epoch) continue;',
        to: 'if (!row) continue;',
      },
    ],
  },
  {
    name: 'deadline-on-the-attempt',
    story: 'Each claim of a task sets its deadline anew, so that one that waits and looks again has none.',
    edits: [
      {
        file: 'src/adapters/sql/claim.ts',
        from: "state = 'claimed', owner = ?, lease_ms = ?, due_at = ?, checkpoint_no = 0 WHERE",
        to: "state = 'claimed', deadline_at = MAX(deadline_at, ${scope.now + 900_000}), owner = ?, lease_ms = ?, due_at = ?, checkpoint_no = 0 WHERE",
      },
      {
        file: 'src/adapters/sql/claim.ts',
        from: '  Math.max(0, row.deadline_at - now),',
        to: '  Math.max(900_000, row.deadline_at - now),',
      },
    ],
  },
  {
    name: 'deadline-not-fired',
    story: 'Every sign of life puts off the deadline: a command that never ends runs for ever (nomad#11267).',
    edits: [
      {
        file: 'src/adapters/sql/renew.ts',
        from: '`UPDATE tasks SET due_at = ? + lease_ms,',
        to: '`UPDATE tasks SET deadline_at = MAX(deadline_at, ${scope.now + 600_000}), due_at = ? + lease_ms,',
      },
    ],
  },
  {
    name: 'check-then-act',
    story:
      'Whether another deployment is active is asked before, and nothing stands in the way of the second one (spinnaker#6380).',
    edits: [
      {
        file: 'src/adapters/sql/create.ts',
        from: "if (holder) return { kind: 'locked', holder: holder.deployment };",
        to: "if (holder) yield* run('DELETE FROM locks WHERE deployment = ?', holder.deployment);",
      },
    ],
  },
  {
    name: 'paused-is-not-active',
    story: 'A deployment that is paused does not count as active, and a second one begins (spinnaker#5545).',
    edits: [
      {
        file: 'src/adapters/sql/create.ts',
        from: "if (holder) return { kind: 'locked', holder: holder.deployment };",
        to: `if (holder) {
    const paused = yield* run("DELETE FROM locks WHERE deployment IN (SELECT id FROM deployments WHERE id = ? AND status = 'paused')", holder.deployment);
    if (paused === 0) return { kind: 'locked', holder: holder.deployment };
  }`,
      },
      {
        file: 'src/operations/deploy.ts',
        from: 'if (active) throw',
        to: "if (active && active.status !== 'paused') throw",
      },
    ],
  },
  {
    name: 'orphaned-tasks',
    story:
      "A task of a worker that died without proof is nobody's: only what is ready or waits is given out (spinnaker#6863, receptor#711).",
    edits: [
      {
        file: 'src/adapters/sql/claim.ts',
        from: 'AND due_at <= ? AND action IN (?)',
        to: "AND due_at <= ? AND state <> 'claimed' AND action IN (?)",
      },
    ],
  },
  {
    name: 'running-task-given-out-again',
    story:
      'Where one worker is known to be gone, the tasks of the living are given out again too (celery#3430).',
    edits: [
      {
        file: 'src/adapters/sql/claim.ts',
        from: 'AND (owner IN (?) OR (owner = ? AND NOT id IN (?)))',
        to: 'AND (NOT owner IN (?) OR (owner = ? AND NOT id IN (?)))',
      },
      {
        file: 'src/adapters/sql/claim.ts',
        from: 'if (gone.length === 0 && held === undefined) return [];',
        to: 'if (gone.length === 0) return [];',
      },
    ],
  },
  {
    name: 'quarantine-ended-by-the-next-owner',
    story:
      'The proven death of the second owner ends the quarantine that the first one, who went silent, is in (FAULTS section 5.6).',
    edits: [
      {
        file: 'src/adapters/sql/claim.ts',
        from: 'return Math.max(quarantine_until, now + IN_FLIGHT_MS);',
        to: 'return now + IN_FLIGHT_MS;',
      },
    ],
  },
  {
    name: 'death-recalls-what-was-sent',
    story:
      'Proof that a worker died is taken for proof that nothing of it is on its way: its last write arrives after what its successor wrote.',
    edits: [
      {
        file: 'src/adapters/sql/claim.ts',
        from: 'return Math.max(quarantine_until, now + IN_FLIGHT_MS);',
        to: 'return quarantine_until;',
      },
    ],
  },
  {
    name: 'restart-forgets-the-remote-job',
    story: 'Whoever takes over from a worker that died begins without its checkpoint (rundeck#564).',
    edits: [
      {
        file: 'src/adapters/sql/claim.ts',
        from: '  row.checkpoint,\n',
        to: "  row.state === 'claimed' ? null : row.checkpoint,\n",
      },
    ],
  },
  {
    name: 'never-started',
    story: 'A deployment whose driver died before it started it is driven by nobody (spinnaker#5952).',
    edits: [
      {
        file: 'src/adapters/sql/acquire.ts',
        from: '((ended_at IS NULL AND (lease_until <= ? OR',
        to: '((ended_at IS NULL AND ((lease_until <= ? AND (lease_owner IS NULL OR started_at IS NOT NULL)) OR',
      },
    ],
  },
  {
    name: 'cancel-forgotten',
    story:
      'A cancel reaches only a task that somebody works on; one that waits for its time goes on as if nothing was said (rundeck#1444).',
    edits: [
      {
        file: 'src/adapters/sql/tasks.ts',
        from: "due_at = CASE WHEN state IN ('ready', 'waiting') THEN 0 ELSE due_at END WHERE id = ?`",
        to: "due_at = CASE WHEN state IN ('ready', 'waiting') THEN due_at ELSE due_at END WHERE id = ? AND state = 'claimed'`",
      },
    ],
  },
  {
    name: 'parked-hold-dropped',
    story:
      'The hold of a target that could not be returned ends with its deployment: nobody knows any more that it is out (basecamp/kamal#1844 the other way round).',
    edits: [
      {
        file: 'src/adapters/sql/holds.ts',
        from: "`UPDATE holds SET phase = 'parked', reason = ? WHERE deployment = ? AND target = ?`",
        to: '`DELETE FROM holds WHERE ? IS NOT NULL AND deployment = ? AND target = ?`',
      },
    ],
  },
];
