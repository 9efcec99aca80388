// `npm run fuzz -- [--runs N] [--seed N] [--kind KIND] [--json]`: gives Edge hostile values of parameters and variables, names of files, and
// archives. What is taken goes where it goes in the product, under a real shell. The last line says what came of it; exit 1 if anything
// was run or written that must not be, broke, arrived as something else, or was refused without a code of the catalogue.
import { parseArgs } from 'node:util';
import { runFuzz } from './run-fuzz.ts';
import { type Fault, KINDS, type Tally } from './tally.ts';

/** Between two lines that say how far it is. */
const TELL_EVERY_MS = 10_000;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string' },
    kind: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const runs = Number(values.runs);
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const kind = KINDS.find((each) => each === values.kind);
if (!Number.isSafeInteger(runs) || runs < 1 || !Number.isSafeInteger(seed) || (values.kind && !kind))
  throw new Error(`--runs and --seed are whole numbers, --kind is one of ${KINDS.join(', ')}`);

const beganMs = performance.now();
let toldMs = beganMs;
let toldFaults = 0;
const tally = await runFuzz({ runs, seed, ...(kind && { kind }), onProgress });
tell(tally);
const wallS = Math.round((performance.now() - beganMs) / 1_000);
const { 'side effect': sideEffects, crash: crashes, altered, 'no code': withoutCode } = tally.counts;
const refused = Object.fromEntries([...tally.refused].toSorted(([, a], [, b]) => b - a));
const { kinds, shell: throughShell, accepted } = tally;
const figures = { sideEffects, crashes, altered, withoutCode, wallS };
const line = { runs: tally.runs, seed, kinds, accepted, throughShell, refused, ...figures };
console.log(values.json ? JSON.stringify(line) : line);
process.exitCode = tally.isClean ? 0 : 1;

function onProgress(so: Tally): void {
  tell(so);
  if (performance.now() - toldMs < TELL_EVERY_MS) return;
  toldMs = performance.now();
  console.error(`${so.runs} of ${runs}, ${so.faults.length} faults`);
}

function tell({ faults }: Tally): void {
  for (const fault of faults.slice(toldFaults)) console.error(told(fault));
  toldFaults = faults.length;
}

function told(fault: Fault): string {
  const { what, kind: of, value, why } = fault;
  return `${what} (${of}): ${why}\n  given: ${value}\n  npm run fuzz -- --runs ${runs} --seed ${seed} --kind ${of}`;
}
