/**
 * Planted bugs and deleted guards that no seed shows, each with the reason: a survivor without one is a finding. Guards are
 * named without their line (see `keyOf`).
 */
export const SURVIVORS: Readonly<Record<string, string>> = {
  'lot-from-before-the-load':
    'needs a commit that reaches the store after its driver gave it up, between two other calls of that driver: the simulated store answers within the deadline or never. src/engine/driver.test.ts shows the bug',
  'cut-off-write-forgotten':
    'needs a keeper whose write waits at a busy balancer, whose lease runs out meanwhile, and which reaches the board again before the return of just that member: seed 391 of an earlier simulation had it, none of 800 with such faults since. src/worker/keeper.test.ts shows it',
  'wakes-up-and-writes':
    'needs a process that is paused between the look at its lease and the write, for longer than lease and quarantine, at the return of a target: seed 1144 of an earlier simulation had it, none of 7,000 since. The contract suite of balancers shows it',
  'decided-again-by-its-successor':
    'needs a worker that dies between what it noted of its verdict and its report, which is one write to the log: none of 61 chosen seeds has that. src/actions/canary-evidence.test.ts shows it',
  'resolve-task.ts resolveTask: if (isToCome(model, state, target)) return "the turn of the target\'s batch has not come; r…':
    'needs a person who sets the result of a target that could not be prepared before its turn, past the door: two of 7,000 seeds have that, and its batch is refused for another reason as well. src/engine/ahead.test.ts shows it',
  'capacity.ts shortPool: without deployment === model.id':
    'needs two deployments that are short of the same pool at once, one of which has a target out that is not the one that is missing: 400 of 7,000 seeds reach it, and none of them differs for as long as a hold takes. src/engine/engine.test.ts shows it',
  'running.ts isToCome: without stage === state.stage':
    'needs a target that failed in an earlier stage, in a batch with a higher number than the open one has, and a person who has it tried again past the door: 17 of 7,000 seeds come near. src/engine/ahead.test.ts shows it',
  'decide-report.ts onUnknown: without !skip':
    'needs a step that may be asked again, is left out while it runs, and whose end nobody can prove then: no seed of 3,000 has that. src/engine/resolve-task.test.ts shows it',
  "resolve-task.ts whyNotSucceeded: if (record.mayRun === 'at-worker') return 'nobody has proved that its worker let go of it;…":
    'needs a step on a host of which no worker is heard until its deadline and that of its cancel have passed, and a guess about it: no seed of 3,000 has that. src/engine/resolve-task.test.ts shows it',
  "approvals.ts refusal: if (state.abortAt !== null && now >= state.abortAt) return 'it has waited for as long as i…":
    'needs a deployment that nobody drives when its time to wait is over, and an approval that comes before the next driver: the observer cannot tell that from a turn that was decided just in time. src/engine/approvals.test.ts shows it',
  'approvals.ts askedFor: without !plan.approvals':
    'says to the compiler what its caller has looked at: only what waits for approvals comes here',
  ...ofStaleReports(
    'if (!granted || command.task !== currentTask(model, state, key.target)) return [];',
    'without !granted',
    'without command.task !== currentTask(model, state, key.target)',
  ),
};

/**
 * A second lock behind the store: a report is taken only of the owner of an open row, and rows are closed in the commit that
 * ends their task. What is left to this guard is a report that came into the lot in which the deadline of the same task, after a
 * cancel that nobody proved, has just closed it. Two of 3,000 seeds come to it, with a report that changes nothing.
 */
function ofStaleReports(...deletions: readonly string[]): Readonly<Record<string, string>> {
  const why =
    'the store takes no report of a closed task; reached only where deadline and report share a lot';
  return Object.fromEntries(deletions.map((deletion) => [`decide.ts ofTask: ${deletion}`, why]));
}

/** The name of a bug or guard, whatever line it has moved to. */
export const keyOf = (name: string): string => name.replace(/:\d+ /, ' ');
