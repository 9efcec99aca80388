import { benchEngine } from './engine.ts';

// npm run bench -- <name> [--json]: measures one part of Edge and prints a table, or one JSON object.

type Bench = (options: { readonly json: boolean }) => Promise<void>;
const BENCHES: Readonly<Record<string, Bench>> = { engine: benchEngine };

const args = process.argv.slice(2);
const name = args.find((arg) => !arg.startsWith('-'));
const run = name === undefined ? undefined : BENCHES[name];
if (run) await run({ json: args.includes('--json') });
else {
  console.error(`Usage: npm run bench -- <${Object.keys(BENCHES).join(' | ')}> [--json]`);
  process.exitCode = 2;
}
