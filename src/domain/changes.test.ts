import assert from 'node:assert/strict';
import { test } from 'node:test';
import { release } from '../../test/fixtures/configuration.ts';
import { changesOf } from './changes.ts';
import type { Release } from './release.ts';

const repository = 'git.example.com/shop';
/** Made one after the other, each with a ticket and an author of its own. */
const RELEASES = ['1.0', '1.1', '1.2', '1.3'].map((version, index): Release => {
  const source = {
    ...{ repository, commit: `abcdef${index}`, tickets: [`SHOP-${index}`], authors: [`dev-${index % 2}`] },
  };
  return { ...release(version), createdAt: 1_000 + index, source };
});
const newestFirst = RELEASES.toReversed();

function changed(
  to: string | null,
  before: readonly (string | null)[],
  releases: readonly Release[] = newestFirst,
) {
  const idOf = (version: string | null) => releases.find((one) => one.version === version)?.id ?? null;
  const targets = before.map((version) => ({ before: idOf(version) }));
  return changesOf({ release: idOf(to), targets }, releases);
}

test('what lies between the release that targets have and the one that they get is brought, with its tickets and authors', () => {
  assert.deepEqual(changed('1.3', ['1.1', '1.1']), {
    brings: {
      ...{
        after: '1.1',
        upTo: '1.3',
        releases: 2,
        tickets: ['SHOP-2', 'SHOP-3'],
        authors: ['dev-0', 'dev-1'],
      },
      commits: { repository, after: 'abcdef1', upTo: 'abcdef3' },
    },
    takesBack: null,
  });
});

test('a way back takes back what came after, and brings nothing', () => {
  const { brings, takesBack } = changed('1.1', ['1.3']) ?? {};
  assert.deepEqual([brings, takesBack?.tickets], [null, ['SHOP-2', 'SHOP-3']]);
  assert.deepEqual(takesBack?.commits, { repository, after: 'abcdef1', upTo: 'abcdef3' });
});

test('where targets have different releases, some are brought what others have, and some lose what they had', () => {
  const { brings, takesBack } = changed('1.2', ['1.3', '1.0']) ?? {};
  assert.deepEqual([brings?.tickets, takesBack?.tickets], [['SHOP-1', 'SHOP-2'], ['SHOP-3']]);
  assert.deepEqual(changed('1.3', ['1.2', '1.0', '1.3'])?.brings?.tickets, ['SHOP-1', 'SHOP-2', 'SHOP-3']);
});

test('without a release that is known before, only what is in the release itself is told', () => {
  for (const before of [[null], []]) {
    const { brings } = changed('1.2', before) ?? {};
    assert.deepEqual([brings?.after, brings?.tickets, brings?.commits], [null, ['SHOP-2'], null]);
  }
});

test('nothing changes where the release is on all targets already, nor in a restart', () => {
  assert.equal(changed('1.2', ['1.2', '1.2']), null);
  assert.equal(changed(null, ['1.2']), null);
});

test('of releases that were made in one moment the lower version is older', () => {
  const [first, second] = ['3.9.0', '3.10.0'].map(
    (version): Release => ({ ...release(version), createdAt: 5 }),
  );
  assert.ok(first && second);
  const { brings, takesBack } = changed('3.10.0', ['3.9.0'], [first, second]) ?? {};
  assert.deepEqual([brings?.releases, takesBack], [1, null]);
});

test('releases that do not say what they were built from have no tickets, and no commits lie between them', () => {
  const bare = newestFirst.map(({ source: _, ...rest }) => rest);
  const { brings } = changed('1.3', ['1.2'], bare) ?? {};
  assert.deepEqual([brings?.releases, brings?.tickets, brings?.commits], [1, [], null]);
});
