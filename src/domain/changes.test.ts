import assert from 'node:assert/strict';
import { test } from 'node:test';
import { release } from '../../test/fixtures/configuration.ts';
import { changesOf } from './changes.ts';
import type { ReleaseId } from './ids.ts';
import type { PlanTarget } from './plan.ts';
import type { Release } from './release.ts';

const repository = 'git.example.com/shop';
/** Made one after the other, each with a ticket and an author of its own. */
const RELEASES = ['1.0', '1.1', '1.2', '1.3'].map((version, index): Release => {
  const source = {
    repository,
    commit: `abcdef${index}`,
    tickets: [`SHOP-${index}`],
    authors: [`dev-${index % 2}`],
  };
  return { ...release(version), createdAt: 1_000 + index, source };
});
const idOf = (version: string) => RELEASES.find((one) => one.version === version)?.id ?? null;
const planned = (to: string | null, ...before: readonly (string | null)[]) => ({
  release: to === null ? null : idOf(to),
  targets: before.map((version) => ({
    before: version === null ? null : idOf(version),
  })) as unknown as readonly PlanTarget[],
});
const newestFirst = RELEASES.toReversed();

test('what lies between the release that targets have and the one that they get is brought, with its tickets and authors', () => {
  const found = changesOf(planned('1.3', '1.1', '1.1'), newestFirst);
  assert.deepEqual(found && { ...found, releases: found.releases.map(({ version }) => version) }, {
    ...{ since: '1.1', direction: 'forward', releases: ['1.2', '1.3'] },
    ...{ tickets: ['SHOP-2', 'SHOP-3'], authors: ['dev-0', 'dev-1'] },
    commits: { repository, from: 'abcdef1', to: 'abcdef3' },
  });
});

test('where targets have different releases, all since the oldest is brought', () => {
  assert.deepEqual(changesOf(planned('1.3', '1.2', '1.0'), newestFirst)?.tickets, [
    'SHOP-1',
    'SHOP-2',
    'SHOP-3',
  ]);
  assert.deepEqual(changesOf(planned('1.2', '1.3', '1.1'), newestFirst)?.tickets, ['SHOP-2'], 'one is ahead');
});

test('a way back takes back what came after, and does not bring what it goes to', () => {
  const found = changesOf(planned('1.1', '1.3'), newestFirst);
  assert.deepEqual([found?.direction, found?.since, found?.tickets], ['back', '1.3', ['SHOP-2', 'SHOP-3']]);
  assert.deepEqual(found?.commits, { repository, from: 'abcdef1', to: 'abcdef3' });
});

test('without a release that is known before, only what is in the release itself is told', () => {
  for (const before of [[null], []]) {
    const found = changesOf(planned('1.2', ...before), newestFirst);
    assert.deepEqual([found?.since, found?.tickets, found?.commits], [null, ['SHOP-2'], null]);
  }
});

test('nothing changes where the release is on all targets already, nor in a restart', () => {
  assert.equal(changesOf(planned('1.2', '1.2', '1.2'), newestFirst), null);
  assert.equal(changesOf(planned(null, '1.2'), newestFirst), null);
});

test('releases that do not say what they were built from have no tickets, and no commits lie between them', () => {
  const bare = newestFirst.map(({ source: _, ...rest }) => rest);
  const found = changesOf(planned('1.3', '1.2'), bare);
  assert.deepEqual([found?.tickets, found?.authors, found?.commits], [[], [], null]);
  assert.deepEqual(
    found?.releases.map(({ id, commit }) => [id, commit] as [ReleaseId, string | null]),
    [[idOf('1.3'), null]],
  );
});
