import { benchArtifact } from './artifact.ts';
import { benchCanary } from './canary.ts';
import { benchEngine } from './engine.ts';
import { benchFanout } from './fanout.ts';
import { benchJudge } from './judge.ts';
import { benchRollout } from './rollout.ts';

// npm run bench -- <name> [--json]: measures one part of Edge and prints a table, or one JSON object. Rollout and
// fanout take [--hosts N], canary [--quick] [--seed N].

type Bench = (args: readonly string[]) => Promise<void>;
const BENCHES: Readonly<Record<string, Bench>> = {
  artifact: benchArtifact,
  canary: benchCanary,
  engine: benchEngine,
  fanout: benchFanout,
  judge: benchJudge,
  rollout: benchRollout,
};

const [name = '', ...args] = process.argv.slice(2);
const run = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
if (run) await run(args);
else {
  console.error(`Usage: npm run bench -- <${Object.keys(BENCHES).join(' | ')}> [--json]`);
  process.exitCode = 2;
}
