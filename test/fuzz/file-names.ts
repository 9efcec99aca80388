import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { ROUTES } from '../../src/api/contract.ts';
import { inputParser } from '../../src/api/request-input.ts';
import { clashing } from '../../src/domain/property-file.ts';
import { tar } from '../../src/lib/tar.ts';
import { MARKER, MODES, SUMS } from '../../src/platforms/datacenter/install-script.ts';
import { hostileText } from '../support/hostile-text.ts';
import type { RealHost } from './real-host.ts';
import { type Fuzzing, lots } from './samples.ts';

/** `path`: of a property file. `name`: of an artifact. Both end as files of a release. */
type Given = { readonly as: 'path' | 'name'; readonly text: string };

const part = fc.constantFrom(
  'conf',
  'app.conf',
  '..',
  '.',
  '',
  '-rf',
  '--',
  '.edge-release',
  '.edge-manifest',
  'a b',
  '~',
  '@',
  '+x',
  'é',
  '$(touch ran)',
);
const given: fc.Arbitrary<Given> = fc.record({
  as: fc.constantFrom('path', 'path', 'name'),
  text: fc.oneof(
    { arbitrary: hostileText, weight: 6 },
    { arbitrary: fc.string({ unit: fc.constantFrom(...'abcAB09./-~_@+ \n$'), maxLength: 12 }), weight: 4 },
    {
      arbitrary: fc.string({ unit: fc.constantFrom(...'abcdef0123456789._'), minLength: 1, maxLength: 20 }),
      weight: 2,
    },
    { arbitrary: fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/')), weight: 2 },
    fc
      .tuple(fc.constantFrom('a', 'conf/', '/'), fc.constantFrom(250, 255, 256, 4_096))
      .map(([start, length]) => start.padEnd(length, 'x')),
  ),
});

const parse = inputParser(ROUTES.createRelease);
const bodyOf = ({ as, text }: Given) => ({
  ...{ kind: 'release', project: 'shop', version: '1.0' },
  ...(as === 'path' ? { files: [{ path: text, content: '' }] } : { artifacts: [{ name: text, path: '/a' }] }),
});

/** Names of property files and of artifacts: each through the API's own check of a release, and those that it takes onto a disk. */
export async function fuzzFileNames(host: RealHost, fuzzing: Fuzzing): Promise<void> {
  for (const lot of lots('fileName', given, fuzzing)) {
    const names = { path: new Set<string>(), name: new Set<string>() };
    for (const one of lot) {
      try {
        parse({ params: {}, query: {}, body: bodyOf(one) });
        fuzzing.tally.accept('fileName');
        names[one.as].add(one.text);
      } catch (thrown) {
        fuzzing.tally.thrown('fileName', one, thrown);
      }
    }
    await install(host, names, fuzzing);
  }
}

type Names = Readonly<Record<Given['as'], ReadonlySet<string>>>;

/** All of a lot in one release, but for those of which there cannot be both. */
async function install(host: RealHost, names: Names, { tally }: Fuzzing): Promise<void> {
  const paths: string[] = [];
  for (const path of [...names.name, ...names.path]) if (!clashing([...paths, path])) paths.push(path);
  const copied = paths.filter((path) => names.name.has(path));
  const put = paths.filter((path) => !names.name.has(path));
  const sent = join(host.folder, 'sent');
  writeFileSync(sent, 'sent');
  const { status, stderr } = await host.install({
    artifacts: copied.flatMap((name) => [sent, name, 'none']),
    bundle: tar(put.map((path, index) => ({ path: String(index), mode: 0o600, data: Buffer.from(path) }))),
    puts: put.flatMap((path, index) => [String(index), path, '0640']),
  });
  if (status !== 0) tally.fault('crash', 'fileName', paths, `the install ended with ${status}: ${stderr}`);
  const there = new Set(existsSync(host.release) ? filesBelow(host.release) : []);
  for (const own of [MARKER, SUMS, MODES]) there.delete(own);
  for (const path of paths) {
    const isThere = there.delete(path);
    const wanted = names.name.has(path) ? 'sent' : path;
    if (!isThere || readFileSync(join(host.release, path), 'utf8') !== wanted)
      tally.fault('altered', 'fileName', path, isThere ? 'it has other bytes' : 'it is not there');
  }
  for (const path of there) tally.fault('side effect', 'fileName', paths, `${path} was made as well`);
  for (const path of host.harm()) tally.fault('side effect', 'fileName', paths, path);
  tally.shell.fileName += paths.length;
  host.clear();
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1));
}
