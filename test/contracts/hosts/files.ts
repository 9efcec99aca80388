import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import type { BroughtFile } from '../../../src/ports/hosts.ts';
import { type HostsBench, sha256 } from './bench.ts';

/** A file is in its place whole, or not at all. */
export function files(bench: HostsBench, { withShell }: { readonly withShell: boolean }): void {
  test('a file arrives whole, with its mode, at a path whose folders did not exist', async () => {
    const folder = bench.freshPath();
    const content = randomBytes(3_000_000);
    const path = `${folder}/a b/it's.bin`;
    const there = [{ path: "a b/it's.bin", sha256: sha256(content), mode: 0o750 }];
    assert.equal(await bench.upload(await bench.fileOf(content, path)), path);
    assert.deepEqual(await bench.hands.filesIn(folder), there);
    await bench.upload(await bench.fileOf(content, path));
    assert.deepEqual(await bench.hands.filesIn(folder), there);
  });

  test('a place below the home folder is told as the host has it', async () => {
    const name = `edge-upload-${randomUUID()}`;
    const content = randomBytes(100);
    const path = await bench.upload(await bench.fileOf(content, `~/${name}/x`));
    assert.match(path, new RegExp(`^/.*/${name}/x$`));
    const there = [{ path: 'x', sha256: sha256(content), mode: 0o750 }];
    assert.deepEqual(await bench.hands.filesIn(path.slice(0, -'/x'.length)), there);
  });

  test('a file that another one makes needless is not sent, as long as that one is as it was named', async () => {
    const folder = bench.freshPath();
    const mark = await bench.fileOf(randomBytes(10), `${folder}/mark`);
    const file = await bench.fileOf(randomBytes(1_000), `${folder}/x`);
    const namesIn = async () => (await bench.hands.filesIn(folder)).map(({ path }) => path).sort();
    await bench.upload(mark);
    assert.equal(await bench.upload({ ...file, unless: mark }), file.path);
    assert.deepEqual(await namesIn(), ['mark']);
    await bench.upload({ ...file, unless: { ...mark, sha256: sha256(Buffer.from('another')) } });
    await bench.upload({ ...file, path: `${folder}/y`, unless: { ...mark, path: `${folder}/gone` } });
    assert.deepEqual(await namesIn(), ['mark', 'x', 'y']);
  });

  test('a file is brought for a host that needs it, and for no other', async () => {
    const folder = bench.freshPath();
    const mark = await bench.fileOf(randomBytes(10), `${folder}/mark`);
    const { localPath, ...file } = await bench.fileOf(randomBytes(1_000), `${folder}/x`);
    let brought = 0;
    const bring = (send: (file: BroughtFile) => Promise<string>) => {
      brought += 1;
      return send({ localPath, sha256: file.sha256 });
    };
    const far = { ...file, localPath: 'far away', sizeBytes: 1_000, bring };
    assert.equal(await bench.upload(far), file.path);
    assert.equal(await bench.upload(far), file.path);
    assert.equal(brought, 1, 'it is there already');
    await bench.upload(mark);
    await bench.upload({ ...far, path: `${folder}/y`, unless: mark });
    assert.equal(brought, 1, 'nobody needs it');
    const failing = {
      ...far,
      path: `${folder}/z`,
      bring: () => Promise.reject(new Error('its source is gone')),
    };
    await assert.rejects(bench.upload(failing), /its source is gone/);
    const names = async () => (await bench.hands.filesIn(folder)).map(({ path }) => path).sort();
    // The host has asked for the file, and removes what it made for it once nobody sends any.
    await bench.until('nothing is left of it', async () => (await names()).join() === 'mark,x');
  });

  test('a file that is packed anew for hosts has the digest that it has then', async () => {
    const folder = bench.freshPath();
    const { localPath, sha256: packed, ...file } = await bench.fileOf(randomBytes(1_000), `${folder}/x`);
    const original = { localPath: 'app.zip', sha256: sha256(randomBytes(10)), sizeBytes: 10 };
    const bring = (send: (file: BroughtFile) => Promise<string>) =>
      send({ localPath, sha256: packed, sizeBytes: 1_000 });
    await bench.upload({ ...file, ...original, bring });
    assert.deepEqual(
      (await bench.hands.filesIn(folder)).map((one) => one.sha256),
      [packed],
    );
  });

  test('bytes arrive as a file does, and only if they are those that were promised', async () => {
    const folder = bench.freshPath();
    const content = randomBytes(100_000);
    const file = { localPath: 'conf', content, path: `${folder}/conf`, sha256: sha256(content), mode: 0o600 };
    assert.equal(await bench.upload(file), file.path);
    const empty = {
      ...file,
      content: Buffer.alloc(0),
      sha256: sha256(Buffer.alloc(0)),
      path: `${folder}/empty`,
    };
    await bench.upload(empty);
    const other = bench.upload({ ...file, path: `${folder}/other`, sha256: empty.sha256 });
    await assert.rejects(other, { code: 'artifact_mismatch' });
    assert.deepEqual(
      (await bench.hands.filesIn(folder)).toSorted((a, b) => (a.path < b.path ? -1 : 1)),
      [
        { path: 'conf', sha256: file.sha256, mode: 0o600 },
        { path: 'empty', sha256: empty.sha256, mode: 0o600 },
      ],
    );
  });

  test('a file that is not what was promised is not put in place', async () => {
    const folder = bench.freshPath();
    const file = await bench.fileOf(randomBytes(1_000), `${folder}/x`);
    const refused = bench.upload({ ...file, sha256: sha256(Buffer.from('another')) });
    await assert.rejects(refused, { code: 'artifact_mismatch' });
    await bench.until('nothing is left', async () => (await bench.hands.filesIn(folder)).length === 0);
  });

  test('a file that is not there to be sent is named', async () => {
    const file = await bench.fileOf(randomBytes(10), `${bench.freshPath()}/x`);
    const missing = bench.upload({ ...file, localPath: `${file.localPath}-gone` });
    await assert.rejects(missing, { code: 'artifact_unreadable' });
  });

  test('a place that begins neither at the root nor at the home folder is refused', async () => {
    const file = await bench.fileOf(randomBytes(10), 'x');
    await assert.rejects(bench.upload(file), { code: 'request_invalid' });
  });

  if (withShell) placesOfFiles(bench);
}

/** What takes the time of a network, and the places of a file system. */
function placesOfFiles(bench: HostsBench): void {
  test('an upload that is broken off leaves the whole file or nothing', async () => {
    const folder = bench.freshPath();
    const content = randomBytes(20_000_000);
    const uploading = bench.upload(await bench.fileOf(content, `${folder}/x`));
    const broken = assert.rejects(uploading, { code: 'host_unreachable' });
    await bench.until(
      'it has begun',
      async () => (await bench.sh('ls -A "$0" 2>/dev/null | wc -l', folder)) !== '0',
    );
    const readable = 'find "$0" -name ".edge-upload.*" -perm /077 2>/dev/null || true';
    assert.equal(await bench.sh(readable, folder), '', 'a part may hold secrets');
    bench.world.cut();
    // The last word of the host may be lost after the file is in place, and all may be done before the cut.
    await broken.catch(() => uploading);
    await bench.until('no part is left', async () => /^x?$/.test(await bench.sh('ls -A "$0"', folder)));
    const left = await bench.sh('if [ -e "$0" ]; then sha256sum <"$0" | cut -c1-64; fi', `${folder}/x`);
    assert.ok(left === '' || left === sha256(content), left);
  });

  test('a place that cannot be written is named', async () => {
    const file = await bench.fileOf(randomBytes(10), '/proc/edge/x');
    await assert.rejects(bench.upload(file), { code: 'host_unfit' });
  });
}
