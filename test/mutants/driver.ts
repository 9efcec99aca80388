import type { Mutant } from './mutant.ts';

/** Bugs of the driver: what it keeps in memory, and when it looks. */
export const DRIVER_MUTANTS: readonly Mutant[] = [
  {
    name: 'no-sweeper',
    story: 'The driver looks for due work only when a bell rings; a lost ring is work that nobody does.',
    edits: [
      {
        file: 'src/engine/driver.ts',
        from: 'this.#ports.bell.wait(DRIVER_TOPIC, this.#options.sweepMs, signal)',
        to: 'this.#ports.bell.wait(DRIVER_TOPIC, 365 * 86_400_000, signal)',
      },
    ],
  },
  {
    name: 'timer-in-memory',
    story: 'A deadline is a timer of the process that set it: after a takeover nobody fires it.',
    edits: [
      {
        file: 'src/engine/driver.ts',
        from: '  readonly #setbacks = new Setbacks();',
        to: '  readonly #setbacks = new Setbacks();\n  readonly #timers = new Set<string>();',
      },
      {
        file: 'src/engine/driver.ts',
        from: 'const lot = (kept && acquired) ?? (await journal.read(lease, LOT));',
        to: `const all = (kept && acquired) ?? (await journal.read(lease, LOT));
    const lot = { ...all, overdue: all.overdue.filter((task) => this.#timers.has(task)) };`,
      },
      {
        file: 'src/engine/driver.ts',
        from: "if (done.kind === 'stale') return 'more';",
        to: "if (done.kind === 'stale') return 'more';\n    for (const { id } of commit.open) this.#timers.add(id);",
      },
    ],
  },
  {
    name: 'stale-copy-saved',
    story:
      'A driver that lost a deployment and got it back goes on with the state in its memory, and no version stops its save (spinnaker#7921).',
    edits: [
      {
        file: 'src/engine/driver.ts',
        from: 'return kept?.epoch === lease.epoch ? kept : undefined;',
        to: 'return kept;',
      },
      {
        file: 'src/adapters/sql/commit.ts',
        from: '`SELECT project, environment FROM deployments\n     WHERE id = ? AND lease_owner = ? AND lease_epoch = ? AND stream_version = ?',
        to: '`SELECT project, environment, stream_version AS seen FROM deployments\n     WHERE id = ? AND lease_owner = ? AND lease_epoch = ? AND ? >= 0',
      },
      {
        file: 'src/adapters/sql/commit.ts',
        from: 'const version = yield* appendEvents(scope, deployment, changes);',
        to: 'const seen = (place as Place & { seen: number }).seen;\n  const version = yield* appendEvents(scope, deployment, { ...changes, expectedVersion: seen });',
      },
    ],
  },
  {
    name: 'lot-from-before-the-load',
    story:
      'A driver decides on commands that it read before it loaded the state, which has them by then: a commit of its own whose answer was lost came in between.',
    edits: [
      {
        file: 'src/engine/driver.ts',
        from: 'const lot = (kept && acquired) ?? (await journal.read(lease, LOT));',
        to: 'const lot = acquired ?? (await journal.read(lease, LOT));',
      },
    ],
  },
  {
    name: 'events-and-tasks-apart',
    story:
      'The events of a turn and the tasks that follow from them are two commits: a crash between them leaves a step that nobody has (spinnaker#7919).',
    edits: [
      {
        file: 'src/engine/driver.ts',
        from: 'const done = await journal.commit(lease, isSnapshot ? { ...commit, snapshot: state } : commit);',
        to: `const done = await journal.commit(lease, { ...commit, ...(isSnapshot && { snapshot: state }), open: [] });
    const nothing = { handled: [], close: [], rearm: [], cancel: [], takeHolds: [], parkHolds: [], giveHolds: [] };
    if (done.kind === 'committed' && commit.open.length > 0) {
      const { successor: _, ...rest } = commit;
      await journal.commit(lease, { ...rest, ...nothing, placed: [], unproven: [], events: [], expectedVersion: version });
    }`,
      },
    ],
  },
  {
    name: 'ownership-lost-for-good',
    story:
      'A driver that lost a deployment once skips it from then on, also when it owns it again, and renews its lease all the same (temporal#7101).',
    edits: [
      {
        file: 'src/engine/driver.ts',
        from: '  readonly #setbacks = new Setbacks();',
        to: '  readonly #setbacks = new Setbacks();\n  readonly #lost = new Set<DeploymentId>();',
      },
      {
        file: 'src/engine/driver.ts',
        from: "if (done.kind === 'lost') return 'nothing';",
        to: "if (done.kind === 'lost') this.#lost.add(lease.deployment);\n    if (done.kind === 'lost') return 'nothing';",
      },
      {
        file: 'src/engine/driver.ts',
        from: 'async #drive(lease: Lease, acquired: Lot | undefined): Promise<Progress> {',
        to: "async #drive(lease: Lease, acquired: Lot | undefined): Promise<Progress> {\n    if (this.#lost.has(lease.deployment)) return 'nothing';",
      },
    ],
  },
  {
    name: 'accepts-but-applies-nothing',
    story:
      'After one fault a driver never tries a deployment again, though it keeps its lease and takes commands for it (restate#5033).',
    edits: [
      {
        file: 'src/engine/setbacks.ts',
        from: 'const isOwn = !CATALOGUE[asEdgeError(fault).code].retryable;',
        to: 'const isOwn = CATALOGUE[asEdgeError(fault).code] !== undefined;',
      },
      {
        file: 'src/engine/setbacks.ts',
        from: 'Math.min(2 ** (times - 1), MOST_SWEEPS) - 1;',
        to: 'MOST_SWEEPS * 1e9;',
      },
    ],
  },
  {
    name: 'wait-never-released',
    story:
      'A driver whose store was cut off at one moment waits for an answer that never comes (found in DBOS by its chaos suite).',
    edits: [
      {
        file: 'src/engine/driver.ts',
        from: '        this.#options.onFault(null, fault);\n        return false;\n',
        to: '        this.#options.onFault(null, fault);\n        return new Promise<boolean>(() => undefined);\n',
      },
    ],
  },
  {
    name: 'lock-freed-before-the-rollback',
    story:
      'The end of a deployment frees its lock in one commit, and its rollback is made in another one after it.',
    edits: [
      {
        file: 'src/engine/driver.ts',
        from: 'const done = await journal.commit(lease, isSnapshot ? { ...commit, snapshot: state } : commit);',
        to: `const { successor: later, ...rest } = commit;
    const done = await journal.commit(lease, isSnapshot ? { ...rest, snapshot: state } : rest);
    if (done.kind === 'committed' && later) await journal.create(later);`,
      },
    ],
  },
];
