import type { Edit, Mutant } from './mutant.ts';

const DEAF_BEFORE_WRITES: Edit = {
  file: 'src/worker/held-task.ts',
  from: "if (this.#setting.monotonicMs() >= this.leaseEndsAtMs) this.end('lost');",
  to: '',
};

/** Bugs of the worker: leases, cancels, reports. */
export const WORKER_MUTANTS: readonly Mutant[] = [
  {
    name: 'lease-not-renewed',
    story: 'A worker never renews the leases of what it works on, and takes them to last.',
    edits: [
      {
        file: 'src/worker/leases.ts',
        from: '        await this.renewAll();\n        failures = 0;',
        to: '        failures = 0;',
      },
      {
        file: 'src/worker/leases.ts',
        from: 'if (!held.fences && nowMs >= held.leaseEndsAtMs)',
        to: 'if (!held.fences && nowMs >= Number.POSITIVE_INFINITY)',
      },
      DEAF_BEFORE_WRITES,
    ],
  },
  {
    name: 'killed-but-still-running',
    story: 'A cancelled task is reported as ended without ending anything (rundeck#1444).',
    edits: [
      {
        file: 'src/worker/run-task.ts',
        from: 'const cancelled = await handler.cancel(held.run(true));',
        to: 'const cancelled: Awaited<ReturnType<typeof handler.cancel>> = { gone: true };',
      },
    ],
  },
  {
    name: 'cancel-not-proven',
    story: 'A cancel that could not be proved counts as one that worked (OctopusDeploy/Issues#10230).',
    edits: [
      {
        file: 'src/worker/run-task.ts',
        from: 'if (!isRetryable(thrown)) break;',
        to: 'if (seen !== null) return provenGone();',
      },
    ],
  },
  {
    name: 'quarantine-ignored',
    story:
      'A worker goes on at once where another went silent, whose last write may still be on its way (a single active consumer of RabbitMQ is no lock).',
    edits: [
      {
        file: 'src/worker/run-task.ts',
        from: 'if (held.claimed.quarantineMs > 0 && !handler.fences) return quarantined(held);',
        to: 'if (held.claimed.quarantineMs > 1e12 && !handler.fences) return quarantined(held);',
      },
    ],
  },
  {
    name: 'works-on-after-its-lease-is-lost',
    story:
      'A worker that is told that its lease is lost, or that heard nothing for its whole time, works on (rabbitmq-server: a cancelled consumer that goes on).',
    edits: [
      {
        file: 'src/worker/leases.ts',
        from: "if (renewed.lost.includes(task)) held.end('lost');\n      else held",
        to: 'held',
      },
      {
        file: 'src/worker/leases.ts',
        from: 'return ({ task }) => !lost.includes(task);',
        to: 'return ({ task }) => task !== undefined || lost.length === 0;',
      },
      {
        file: 'src/worker/leases.ts',
        from: 'if (!held.fences && nowMs >= held.leaseEndsAtMs)',
        to: 'if (!held.fences && nowMs >= Number.POSITIVE_INFINITY)',
      },
      DEAF_BEFORE_WRITES,
    ],
  },
  {
    name: 'graceful-stop-cuts-calls',
    story:
      'A worker that stops in good order hands back at once also what it is writing to a balancer, and the next one goes on beside that write (sdk-java#2903).',
    edits: [
      {
        file: 'src/worker/worker.ts',
        from: "for (const held of this.#leases.all()) if (held.fences) held.end('stopping');",
        to: "for (const held of this.#leases.all()) held.end('stopping');",
      },
      {
        file: 'src/platforms/datacenter/balancer-drain.ts',
        from: 'to, context.lost, ',
        to: 'to, context.signal, ',
      },
      {
        file: 'src/platforms/datacenter/balancer-enable.ts',
        from: 'ref.asFound,\n    context.lost,',
        to: 'ref.asFound,\n    context.signal,',
      },
    ],
  },
  {
    name: 'slots-leak',
    story:
      'A task that has ended keeps its slot: after so many the worker takes no more, until it is restarted (cadence#263).',
    edits: [
      {
        file: 'src/worker/worker.ts',
        from: '      this.#leases.remove(held);\n      this.#slotFree.wake();',
        to: '      this.#slotFree.wake();',
      },
    ],
  },
  {
    name: 'cancel-not-heard',
    story:
      'A worker does not look at what it is told to cancel; only whoever comes after it does (OctopusDeploy/Issues#7944).',
    edits: [
      {
        file: 'src/worker/leases.ts',
        from: "if (renewed.cancel.includes(task)) held.end('cancelled');",
        to: "if (renewed.cancel.includes(task) && renewed.lost.includes(task)) held.end('cancelled');",
      },
    ],
  },
  {
    name: 'wakes-up-and-writes',
    story:
      'A worker that was paused for longer than its lease writes what it was about to write before it looks at the time (M5; a paused lock holder).',
    edits: [DEAF_BEFORE_WRITES],
  },
];
