import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { MemoryArtifacts } from '../../src/adapters/memory/artifacts.ts';
import { memoryBell } from '../../src/adapters/memory/bell.ts';
import { MemoryClock } from '../../src/adapters/memory/clock.ts';
import { openMemoryStore } from '../../src/adapters/memory/store.ts';
import { ROUTES } from '../../src/api/contract.ts';
import { inputParser } from '../../src/api/request-input.ts';
import { filePlaceOf } from '../../src/domain/planned-files.ts';
import { plannedRelease, releaseRequestSchema } from '../../src/domain/release.ts';
import { tar } from '../../src/lib/tar.ts';
import { prepareRelease } from '../../src/operations/releases.ts';
import { filesFor } from '../../src/plan/files.ts';
import { fillFiles } from '../../src/platforms/datacenter/fill-files.ts';
import { hostileText } from '../support/hostile-text.ts';
import type { RealHost } from './real-host.ts';
import { type Fuzzing, lots } from './samples.ts';

/** Rendered texts in one file on the host: it is never looked into. */
const IN_A_FILE = 64;
const PLACE = { project: 'shop', environment: 'dc' };
const TARGET = { name: 'web-1', address: '10.0.0.1', port: 8080 };
const SECRET = { source: 'env', name: 'FUZZ' } as const;
const NEVER = new AbortController().signal;

/** What is hostile: a value, a secret, the name of a variable, or all of a template. `expected`: what the file is, if it is made. */
type Given = {
  readonly text: string;
  readonly template: string;
  readonly variables: readonly object[];
  readonly expected: string | undefined;
};
const FORMS: readonly ((text: string) => Given)[] = [
  (text) => beside(text, { name: 'a', value: text }),
  (text) => alone(text, { name: 'a', value: text }),
  (text) => beside(text, { name: 'a', secret: SECRET }),
  (text) => alone(text, { name: 'a', secret: SECRET }),
  (text) => ({
    text,
    template: `a={{${text}}}\n`,
    variables: [{ name: text, value: '1' }],
    expected: undefined,
  }),
  (text) => ({ text, template: text, variables: [{ name: 'a', value: '1' }], expected: undefined }),
];
const beside = (text: string, variable: object): Given => ({
  ...{
    text,
    template: 'before={{a}}\nafter=1\n',
    variables: [variable],
    expected: `before=${text}\nafter=1\n`,
  },
});
const alone = (text: string, variable: object): Given => ({
  ...{ text, template: 'before=1\n{{a}}\n', variables: [variable], expected: `before=1\n${text}\n` },
});

const text = fc.oneof(
  { arbitrary: hostileText, weight: 8 },
  fc.constantFrom('a', 'edge.target', 'edge.secret', 'db.host', '-rf', '{{a}}', '{{ edge.target }}'),
);
const given = fc.tuple(fc.constantFrom(...FORMS), text).map(([form, of]) => form(of));

const parse = inputParser(ROUTES.createRelease);
const clock = new MemoryClock();
const ports = {
  clock,
  artifacts: new MemoryArtifacts(() => undefined),
  records: openMemoryStore({ bell: memoryBell(), now: () => clock.now() }).records,
};

/**
 * Values, secrets and names of variables, and templates: each through the API's own check of a release, the release that is made of it,
 * the plan of a target, and the renderer of the worker; what is rendered is installed by the script that hosts run.
 */
export async function fuzzVariables(host: RealHost, fuzzing: Fuzzing): Promise<void> {
  for (const lot of lots('variable', given, fuzzing)) {
    const made: Buffer[] = [];
    for (const one of lot) {
      try {
        const rendered = await render(one);
        if (one.expected !== undefined && !rendered.equals(Buffer.from(one.expected)))
          fuzzing.tally.fault('altered', 'variable', one, `it is ${JSON.stringify(rendered.toString())}`);
        made.push(rendered);
        fuzzing.tally.accept('variable');
      } catch (thrown) {
        fuzzing.tally.thrown('variable', one, thrown);
      }
    }
    await install(host, made, fuzzing);
  }
}

async function render({ text: secret, template, variables }: Given): Promise<Buffer> {
  const files = [{ path: 'app.conf', content: template }];
  const body = { kind: 'release', project: 'shop', version: '1.0', files, variables };
  const request = releaseRequestSchema.parse(parse({ params: {}, query: {}, body }));
  const { release: whole } = await prepareRelease(ports, request, NEVER);
  const release = plannedRelease(whole, PLACE.environment);
  const placed = { config: TARGET, zone: 'east', before: null };
  const found = filesFor(placed, PLACE, { release: release.id, releases: { [release.id]: release } });
  const place = filePlaceOf(PLACE, { ...TARGET, zone: 'east' }, release);
  const { files: planned = [], variables: here = [] } = release.properties ?? {};
  const digest = found?.digests[release.id] ?? null;
  const resolve = async () => secret;
  const [filled] = await fillFiles({ resolve }, { files: planned, variables: here, place, digest });
  if (!filled) throw new Error('no file was made');
  return filled;
}

async function install(host: RealHost, made: readonly Buffer[], { tally }: Fuzzing): Promise<void> {
  const files = Array.from({ length: Math.ceil(made.length / IN_A_FILE) }, (_, n) =>
    Buffer.concat(made.slice(n * IN_A_FILE, (n + 1) * IN_A_FILE)),
  );
  const bundle = tar(files.map((data, index) => ({ path: String(index), mode: 0o600, data })));
  const puts = files.flatMap((_, index) => [String(index), `conf/${index}`, '0640']);
  const { status, stderr } = await host.install({ bundle, puts });
  if (status !== 0) tally.fault('crash', 'variable', null, `the install ended with ${status}: ${stderr}`);
  for (const [index, data] of files.entries()) {
    const path = join(host.release, 'conf', String(index));
    if (!existsSync(path) || !readFileSync(path).equals(data))
      tally.fault('altered', 'variable', null, `${path} has other bytes than were sent`);
  }
  for (const path of host.harm()) tally.fault('side effect', 'variable', null, path);
  tally.shell.variable += made.length;
  host.clear();
}
