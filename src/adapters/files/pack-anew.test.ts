import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Entry } from 'yauzl';
import { withTemporaryFolder } from '../../../test/support/temporary-folder.ts';
import { type ZipEntry, zip } from '../../../test/support/zip.ts';
import { sha256 } from '../../lib/hash.ts';
import { packAnew } from './pack-anew.ts';
import { ZIP_LIMITS, ZipTree } from './zip-tree.ts';

/** A file as yauzl tells of it. */
const PLAIN = {
  ...{ versionMadeBy: 0, externalFileAttributes: 0 },
  ...{ isEncrypted: () => false, canDecodeFileData: () => true },
};

const FILE = 0o100644;
const LINK = 0o120777;
const FOLDER = 0o040755;

async function packed(folder: string, archive: Uint8Array, mostBytes = 1e9) {
  const [from, to] = [join(folder, 'a.zip'), join(folder, 'a.tar.gz')];
  await writeFile(from, archive);
  const measured = await packAnew({
    from,
    to,
    what: 'a.zip',
    mostBytes,
    signal: new AbortController().signal,
  });
  return { ...measured, path: to };
}

const refused = (entries: readonly ZipEntry[], message: RegExp): Promise<void> =>
  withTemporaryFolder((folder) =>
    assert.rejects(packed(folder, zip(entries)), { code: 'artifact_unreadable', message }),
  );

describe('a zip that is packed anew', () => {
  const long = `${'a'.repeat(60)}/${'b'.repeat(60)}/ä.txt`;
  const random = randomBytes(300_000);
  const HONEST: readonly ZipEntry[] = [
    { name: 'bin/', mode: FOLDER },
    { name: 'bin/start', content: '#!/bin/sh\n', mode: 0o100755 },
    { name: 'bin/run', content: 'start', mode: LINK },
    { name: 'lib/up', content: '../bin/./start', mode: LINK },
    { name: './conf//app.conf', content: 'a=1\n' },
    { name: 'windows\\path.txt', content: 'w' },
    { name: long, content: 'long', mode: FILE },
    { name: 'big.bin', content: random, mode: 0o104755 },
    { name: 'empty', mode: FILE },
  ];

  for (const tar of [['tar'], ['busybox', 'tar']]) {
    test(`has all that is in it, for ${tar.join(' ')}`, () =>
      withTemporaryFolder(async (folder) => {
        const { path } = await packed(folder, zip(HONEST));
        const out = join(folder, 'out');
        await mkdir(out);
        const [program = '', ...words] = tar;
        execFileSync(program, [...words, '-xzof', path, '-C', out]);
        const at = (name: string) => join(out, name);
        assert.equal(await readFile(at('bin/start'), 'utf8'), '#!/bin/sh\n');
        assert.equal((await lstat(at('bin/start'))).mode & 0o777, 0o755);
        assert.equal(await readlink(at('bin/run')), 'start');
        assert.equal(await readFile(at('lib/up'), 'utf8'), '#!/bin/sh\n');
        assert.equal(await readFile(at('conf/app.conf'), 'utf8'), 'a=1\n');
        assert.equal(await readFile(at('windows/path.txt'), 'utf8'), 'w');
        assert.equal(await readFile(at(long), 'utf8'), 'long');
        assert.deepEqual(await readFile(at('big.bin')), random);
        assert.equal((await lstat(at('big.bin'))).mode & 0o7777, 0o755, 'no rights beyond those of a file');
        assert.equal((await lstat(at('empty'))).size, 0);
      }));
  }

  test('has the same bytes each time', () =>
    withTemporaryFolder(async (folder) => {
      const first = await packed(folder, zip(HONEST));
      const second = await packed(folder, zip(HONEST));
      assert.equal(first.sha256, second.sha256);
      assert.deepEqual(
        { sha256: first.sha256, sizeBytes: first.sizeBytes },
        { sha256: sha256(await readFile(first.path)), sizeBytes: (await readFile(first.path)).length },
      );
    }));

  test('does not fit where the store has no room', () =>
    withTemporaryFolder((folder) =>
      assert.rejects(packed(folder, zip(HONEST), 1_000), { code: 'artifact_store_full' }),
    ));
});

describe('a zip is refused', () => {
  const hostile: Readonly<Record<string, readonly [readonly ZipEntry[], RegExp]>> = {
    'that leads out by ..': [[{ name: '../evil', content: 'x' }], /invalid relative path|leads out/],
    'that leads out by .. in the middle': [
      [{ name: 'a/../../evil', content: 'x' }],
      /invalid relative path|leads out/,
    ],
    'with an absolute path': [[{ name: '/etc/cron.d/evil', content: 'x' }], /absolute path|leads out/],
    'with a path of another system': [[{ name: 'C:\\evil', content: 'x' }], /absolute path|leads out/],
    'that leads out with backslashes': [
      [{ name: '..\\evil', content: 'x' }],
      /invalid relative path|leads out/,
    ],
    'with a line break in a name': [[{ name: 'a\nb', content: 'x' }], /odd name/],
    'with a name of Edge': [[{ name: '.edge-release', content: 'x' }], /those of Edge/],
    'with a link to an absolute path': [[{ name: 'a', content: '/etc', mode: LINK }], /link a to "\/etc"/],
    'with a link that leads out': [[{ name: 'a/b', content: '../../etc', mode: LINK }], /leads out/],
    'with a link that leads out by way of another': [
      [
        { name: 'top', content: '.', mode: LINK },
        { name: 'a/b', content: '../top/..', mode: LINK },
      ],
      /leads out/,
    ],
    'with a file below a link': [
      [
        { name: 'a', content: 'b', mode: LINK },
        { name: 'a/evil', content: 'x' },
      ],
      /below a, which is no folder/,
    ],
    'with a link in the place of a folder': [
      [
        { name: 'a/file', content: 'x' },
        { name: 'a', content: 'b', mode: LINK },
      ],
      /a twice/,
    ],
    'with the same name twice': [
      [
        { name: 'a', content: 'x' },
        { name: './a', content: 'y' },
      ],
      /a twice/,
    ],
    'with a device': [[{ name: 'null', mode: 0o020666 }], /neither file, folder nor link/],
    'with a block device': [[{ name: 'sda', mode: 0o060660 }], /neither file, folder nor link/],
    'with a pipe': [[{ name: 'pipe', mode: 0o010666 }], /neither file, folder nor link/],
    'that is encrypted': [[{ name: 'a', content: 'x', encrypted: true }], /encrypted/],
    'with more bytes than an entry says': [
      [{ name: 'a', content: 'x'.repeat(10_000), says: { sizeBytes: 10 } }],
      /too many bytes/,
    ],
    'with fewer bytes than an entry says': [
      [{ name: 'a', content: 'x', says: { sizeBytes: 10_000 } }],
      /not enough bytes/,
    ],
    'with another checksum than its bytes have': [
      [{ name: 'a', content: 'x', says: { crc: 1 } }],
      /another checksum/,
    ],
    'with a link as long as a file': [
      [{ name: 'a', content: 'x/'.repeat(4_000), mode: LINK }],
      /link of 8000 bytes/,
    ],
  };
  for (const [what, [entries, message]] of Object.entries(hostile))
    test(what, () => refused(entries, message));

  test('that is none, or is cut off', () =>
    withTemporaryFolder(async (folder) => {
      const whole = zip([{ name: 'a', content: randomBytes(1_000) }]);
      for (const bytes of [Buffer.from('no zip'), Buffer.alloc(0), whole.subarray(0, 500)])
        await assert.rejects(packed(folder, bytes), { code: 'artifact_unreadable', message: /no whole zip/ });
    }));

  test('that unpacks to much more than it is: a bomb', () => {
    const zeros = Buffer.alloc(1_000);
    const says = { sizeBytes: 64 * 1024 ** 2 };
    const bomb = Array.from({ length: 5 }, (_, n) => ({ name: `zeros-${n}`, content: zeros, says }));
    return refused(bomb, /unpacks to more than 268435456 bytes/);
  });

  test('whose entries share their bytes: a bomb that hides its size', () => {
    const zeros = Buffer.alloc(64 * 1024 ** 2);
    const shared = Array.from({ length: 9 }, (_, n) => ({ name: `again-${n}`, bytesOf: 0 }));
    return refused([{ name: 'zeros', content: zeros }, ...shared], /unpacks to more than/);
  });

  test('with more entries than anybody needs', () => {
    const tree = new ZipTree(1_000_000);
    const entry = (n: number) => ({ fileName: `f/${n}`, uncompressedSize: 0, ...PLAIN }) as unknown as Entry;
    for (let n = 0; n < ZIP_LIMITS.entries; n += 1) tree.add(entry(n));
    assert.throws(() => tree.add(entry(-1)), /more than 200000 entries/);
  });
});
