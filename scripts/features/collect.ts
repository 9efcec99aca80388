// Prints the tests that files declare, as JSON, without running one: `collect.ts <file> …`, in a process of its own.
import { registerHooks } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { declared } from './quiet-test.ts';

export type Collected = {
  readonly file: string;
  readonly titles: readonly string[];
  readonly skipped: boolean;
};

const here = (name: string): string => new URL(name, import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === 'node:test') return { url: here('./quiet-test.ts'), shortCircuit: true };
    if (specifier.endsWith('/scripts/services.ts'))
      return { url: here('./every-service.ts'), shortCircuit: true };
    return next(specifier, context);
  },
});

const collected: Collected[] = [];
for (const file of process.argv.slice(2)) {
  await import(pathToFileURL(resolve(file)).href);
  collected.push(...declared.splice(0).map((each) => ({ file, ...each })));
}
process.stdout.write(JSON.stringify(collected), () => process.exit(0));
