import childProcess from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

/**
 * The runtime trap: while something of a simulation runs, the real clock, timers, randomness, network, processes and files
 * throw. What the code under test wants of the world it gets through its ports, or the run would not be the same twice.
 */
let isSet = false;
let isLaid = false;

/**
 * How a step waits until no promise is left that could go on. `tick`: much cheaper than a turn of the event loop, of which the simulated
 * code needs none. `turn`: Node sees then, as in production, a promise that was rejected and that nobody has taken.
 */
export type Rest = 'tick' | 'turn';

const rests: Readonly<Record<Rest, (resolve: () => void) => unknown>> = {
  tick: process.nextTick,
  turn: setImmediate,
};

/** Runs it, and all continuations that it wakes, inside the trap. */
export async function whileTrapped(run: () => void, rest: Rest = 'turn'): Promise<void> {
  lay();
  isSet = true;
  try {
    run();
    await new Promise<void>((resolve) => rests[rest](resolve));
  } finally {
    isSet = false;
  }
}

function guarded<F extends (...args: never[]) => unknown>(name: string, real: F): F {
  const guard = function (this: unknown, ...args: Parameters<F>): unknown {
    if (isSet) throw new Error(`the simulated code used ${name}: it has to go through a port`);
    return real.apply(this, args);
  };
  return Object.assign(guard as unknown as F, real);
}

/** Replaces each of these once; outside of a simulation they go on as before. */
function lay(): void {
  if (isLaid) return;
  isLaid = true;
  layGlobals();
  guardAll('crypto', crypto, ['randomBytes', 'randomInt', 'randomUUID', 'randomFillSync', 'getRandomValues']);
  guardAll('fs', fs, [
    'readFileSync',
    'writeFileSync',
    'openSync',
    'statSync',
    'readdirSync',
    'mkdirSync',
    'createReadStream',
  ]);
  guardAll('fs', fs.promises, ['readFile', 'writeFile', 'open', 'stat', 'readdir', 'mkdir', 'rename']);
  guardAll('net', net, ['connect', 'createConnection', 'createServer']);
  guardAll('child_process', childProcess, ['spawn', 'spawnSync', 'execFile', 'fork']);
  syncBuiltinESMExports();
}

function layGlobals(): void {
  const RealDate = Date;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args) => {
      if (isSet && args.length === 0)
        throw new Error('the simulated code used new Date(): it has to ask its Clock');
      return Reflect.construct(target, args);
    },
  });
  globalThis.Date.now = guarded('Date.now', RealDate.now);
  Math.random = guarded('Math.random', Math.random);
  performance.now = guarded('performance.now', performance.now.bind(performance));
  const timers = ['setTimeout', 'setInterval', 'setImmediate', 'fetch'] as const;
  for (const name of timers) Object.assign(globalThis, { [name]: guarded(name, globalThis[name] as never) });
  AbortSignal.timeout = guarded('AbortSignal.timeout', AbortSignal.timeout.bind(AbortSignal));
}

function guardAll(module: string, of: object, names: readonly string[]): void {
  for (const name of names) {
    const real: unknown = Reflect.get(of, name);
    if (typeof real === 'function') Reflect.set(of, name, guarded(`${module}.${name}`, real as never));
  }
}
