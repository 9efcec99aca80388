import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { withTemporaryFolder } from '../../test/support/temporary-folder.ts';
import { releaseIn } from './release-file.ts';

async function read(text: string) {
  return withTemporaryFolder(async (folder) => {
    await writeFile(join(folder, 'r.yaml'), text);
    const sent: string[] = [];
    const release = await releaseIn(folder, 'r.yaml', async (path) => {
      sent.push(path.slice(folder.length));
      return 'a'.repeat(64);
    });
    return { release: JSON.parse(JSON.stringify(release)), sent };
  });
}

describe('a release in a file', () => {
  test('has the digests of the files that are sent, and all else as it is written', async () => {
    const text = `kind: release
project: shop
version: "1"
artifacts:
  - { name: a, path: build/a.zip, upload: true, unpack: zip }
  - { name: b, path: /srv/b }
  - { name: c, upload: true, sha256: ${'c'.repeat(64)} }
variables: [{ name: heap, value: 2g }]
`;
    const { release, sent } = await read(text);
    assert.deepEqual(sent, ['/build/a.zip']);
    assert.deepEqual(release, {
      ...{ kind: 'release', project: 'shop', version: '1' },
      artifacts: [
        { name: 'a', upload: true, unpack: 'zip', sha256: 'a'.repeat(64) },
        { name: 'b', path: '/srv/b' },
        { name: 'c', upload: true, sha256: 'c'.repeat(64) },
      ],
      variables: [{ name: 'heap', value: '2g' }],
    });
  });

  test('that is none is refused with its place', async () => {
    await assert.rejects(read('a: [1'), { code: 'config_syntax', message: /./ });
    await assert.rejects(read('- a'), {
      code: 'config_syntax',
      message: /not one YAML document of a release/,
    });
    await assert.rejects(read('artifacts: [{ upload: true, path: x, sha256: b }]'), {
      code: 'artifact_mismatch',
    });
    await withTemporaryFolder((folder) =>
      assert.rejects(
        releaseIn(folder, 'none.yaml', async () => ''),
        { code: 'config_unreadable', message: /none\.yaml/ },
      ),
    );
  });
});
