// `npm run model -- [--runs N] [--seed N] [--path P] [--replay R] [--seconds N] [--json]`: plays sequences of operators' commands against a
// model of what is promised and against Edge. Exit 0 only if they never differ; else the shortest sequence is shown.
import { parseArgs } from 'node:util';
import { runModel } from './run-model.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string' },
    path: { type: 'string' },
    replay: { type: 'string' },
    seconds: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const startedMs = performance.now();
const { tally, failure, ...figures } = await runModel({
  runs: Number(values.runs),
  ...(values.seed !== undefined && { seed: Number(values.seed) }),
  ...(values.path !== undefined && { path: values.path }),
  ...(values.seconds !== undefined && { withinMs: 1_000 * Number(values.seconds) }),
  ...(values.replay !== undefined && { replayPath: values.replay }),
});
const seconds = Math.round((performance.now() - startedMs) / 1_000);
const commands = Object.fromEntries([...tally].toSorted());
const summary = { ...figures, seconds, differs: failure !== null, commands };
if (failure !== null) console.error(failure);
console.log(values.json ? JSON.stringify(summary) : summary);
process.exitCode = failure === null ? 0 : 1;
