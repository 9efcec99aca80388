import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { commandFailed } from '../../src/actions/own-command.ts';
import { packAnew } from '../../src/adapters/files/pack-anew.ts';
import { tar } from '../../src/lib/tar.ts';
import { hostileTar, hostileZip } from './hostile-archives.ts';
import type { RealHost } from './real-host.ts';
import { type Fuzzing, lots } from './samples.ts';

/** An archive; what comes after it into the same release; which program unpacks it. */
type Given = {
  readonly zip: Buffer | null;
  readonly tar: Buffer;
  readonly next: 'nothing' | 'a tar' | 'a file';
  readonly second: Buffer;
  readonly hasFiles: boolean;
  readonly busybox: boolean;
};

const NEVER = new AbortController().signal;
const CONF = tar([{ path: '0', mode: 0o600, data: Buffer.from('a=1\n') }]);
const PUTS = ['0', 'conf/app.conf', '0640'];

/**
 * Archives: a zip through the check and the packing anew of the server, and what comes of it, like any tar, through the script that hosts
 * run, beside other artifacts and property files.
 */
export async function fuzzArchives(host: RealHost, fuzzing: Fuzzing): Promise<void> {
  const places = { canary: host.canary };
  const given: fc.Arbitrary<Given> = fc.record({
    zip: fc.option(hostileZip(places), { freq: 2 }),
    tar: hostileTar(places),
    next: fc.constantFrom('nothing', 'nothing', 'a tar', 'a file'),
    second: hostileTar(places),
    hasFiles: fc.boolean(),
    busybox: fc.boolean(),
  });
  const bin = busyboxTar(host);
  for (const lot of lots('archive', given, fuzzing))
    for (const one of lot) await tryOne(host, { one, bin }, fuzzing);
}

/** A folder in which `tar` is that of busybox; the empty text where there is none. */
function busyboxTar(host: RealHost): string {
  const path = spawnSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).stdout.trim();
  if (path === '') return '';
  const bin = join(host.folder, 'bin');
  mkdirSync(bin);
  symlinkSync(path, join(bin, 'tar'));
  return bin;
}

type Trying = { readonly one: Given; readonly bin: string };

async function tryOne(host: RealHost, { one, bin }: Trying, { tally }: Fuzzing): Promise<void> {
  const shown = shownOf(one);
  try {
    const artifacts = await artifactsOf(host, one);
    const files = one.hasFiles ? { bundle: CONF, puts: PUTS } : {};
    const end = await host.install({ artifacts, ...files }, one.busybox ? bin : '');
    tally.shell.archive += 1;
    if (end.status === 0) tally.accept('archive');
    else if (end.status === null) throw new Error('the install did not end');
    else tally.refuse('archive', shown, commandFailed('An install', exited(end.status, end.stderr)).code);
  } catch (thrown) {
    tally.thrown('archive', shown, thrown);
  }
  for (const path of host.harm()) tally.fault('side effect', 'archive', shown, path);
  host.clear();
}

async function artifactsOf(
  host: RealHost,
  { zip, tar: plain, next, second }: Given,
): Promise<readonly string[]> {
  const sent = join(host.folder, 'sent');
  mkdirSync(sent, { recursive: true });
  const at = (name: string) => join(sent, name);
  writeFileSync(at('first'), zip ?? plain);
  writeFileSync(at('second'), second);
  const packing = { from: at('first'), to: at('packed'), what: 'first', mostBytes: 1e9, signal: NEVER };
  if (zip) await packAnew(packing);
  const first = zip ? [at('packed'), 'first', 'tar.gz'] : [at('first'), 'first', 'tar'];
  if (next === 'nothing') return first;
  return [
    ...first,
    ...(next === 'a tar' ? [at('second'), 'second', 'tar'] : [at('second'), 'app.bin', 'none']),
  ];
}

const exited = (code: number, lastLines: string) =>
  ({ kind: 'exited', code, lastLines, outputBytes: lastLines.length, droppedBytes: 0 }) as const;

const shownOf = ({ zip, tar: plain, next, second, hasFiles, busybox }: Given) => ({
  ...{ next, hasFiles, busybox, [zip ? 'zip' : 'tar']: (zip ?? plain).toString('base64') },
  ...(next === 'a tar' && { second: second.toString('base64') }),
});
