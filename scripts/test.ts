// Runs the tests: `bin/node scripts/test.ts [file or folder …]`.
// EDGE_TEST_REQUIRE=all makes a skipped test a failure, for machines that must be able to run everything.
import { isIsolated, testFiles } from './test/files.ts';
import { runLane } from './test/lane.ts';
import { type Tally, totals } from './test/tally.ts';

const root = process.cwd();
const tally: Tally = { passed: 0, failed: 0, skipped: [] };

// A test that calls process.exit() must not pass for a run that ended.
process.on('exit', endedEarly);

function endedEarly(): void {
  tally.failed++;
  console.log('FAIL  a test ended the whole process');
  console.log(totals(tally));
  process.exitCode = 1;
}

/** What counts: where everything is required, a skipped test is a failed one. */
function judgeSkipped({ passed, failed, skipped }: Tally): Tally {
  const isFailure = process.env.EDGE_TEST_REQUIRE === 'all';
  for (const { title, reason } of skipped) console.log(`${isFailure ? 'FAIL' : 'skip'}  ${title}: ${reason}`);
  return isFailure ? { passed, failed: failed + skipped.length, skipped: [] } : { passed, failed, skipped };
}

const files = testFiles(root, process.argv.slice(2));
const together = files.filter((file) => !isIsolated(file));
const alone = files.filter(isIsolated);
// They end what hangs. A machine may be ten times as slow as another, and shared: what needs a minute here has twenty.
await runLane({ isolation: 'none', root, files: together, timeoutMs: 120_000 }, tally);
await runLane({ isolation: 'process', root, files: alone, timeoutMs: 1_200_000 }, tally);

const final = judgeSkipped(tally);
console.log(totals(final));
process.off('exit', endedEarly);
process.exit(final.failed > 0 || final.passed === 0 ? 1 : 0);
