import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Token } from '../../src/domain/token.ts';
import type { RecordChange } from '../../src/ports/records.ts';
import { type OpenStore, using } from './store.ts';

const token = (name: string): Token => ({
  id: name,
  name,
  role: 'view',
  hash: 'e3b0c442',
  createdAt: 1,
  expiresAt: null,
  revokedAt: null,
});
const put = (key: string, expected?: number, name = key): RecordChange => ({
  kind: 'token',
  key,
  value: token(name),
  ...(expected !== undefined && { expected }),
});

/** What every `Records` keeps to. */
export function recordsContract(name: string, open: OpenStore): void {
  const withStore = using(open);

  describe(`${name}: records`, () => {
    test(
      'a record is kept with its version and the time of the store',
      withStore(async ({ records, now }) => {
        await records.apply([put('a')]);
        assert.deepEqual(await records.get('token', 'a'), {
          key: 'a',
          version: 1,
          at: now(),
          value: token('a'),
        });
        assert.equal(await records.get('token', 'b'), null);
        assert.equal(await records.get('project', 'a'), null);
      }),
    );

    test(
      'each write raises the version, and the newest is what is read',
      withStore(async ({ records }) => {
        await records.apply([put('a')]);
        await records.apply([put('a', 1, 'renamed')]);
        const kept = await records.get('token', 'a');
        assert.deepEqual([kept?.version, kept?.value.name], [2, 'renamed']);
      }),
    );

    test(
      'a write that expects another version is a conflict, and nothing of its lot is written',
      withStore(async ({ records }) => {
        await records.apply([put('a'), put('b')]);
        await records.apply([put('b')]);
        assert.deepEqual(await records.apply([put('a', 1, 'renamed'), put('b', 1)]), {
          kind: 'conflict',
          key: 'b',
        });
        assert.equal((await records.get('token', 'a'))?.value.name, 'a');
      }),
    );

    test(
      'of two writers that both expect nothing to be there one wins',
      withStore(async ({ records, second }) => {
        const other = await second();
        const results = await Promise.all([records.apply([put('a', 0)]), other.records.apply([put('a', 0)])]);
        assert.deepEqual(results.map(({ kind }) => kind).sort(), ['applied', 'conflict']);
      }),
    );

    test(
      'a record that was removed is gone, may be made anew, and its old versions never fit again',
      withStore(async ({ records }) => {
        await records.apply([put('a')]);
        await records.apply([{ kind: 'token', key: 'a', value: null, expected: 1 }]);
        assert.equal(await records.get('token', 'a'), null);
        assert.deepEqual(await records.list('token'), []);
        assert.deepEqual(await records.apply([put('a', 0)]), { kind: 'applied' });
        assert.deepEqual(await records.apply([put('a', 1)]), { kind: 'conflict', key: 'a' });
      }),
    );

    test(
      'the key of a host is kept with what it replaced, and its place may be any address',
      withStore(async ({ records, now }) => {
        const key = (letter: string) => ({
          ...{ type: 'ssh-ed25519', fingerprint: `SHA256:${letter.repeat(43)}`, by: 'ada' },
        });
        const place = { environment: 'production', address: 'fe80::1', port: 22 };
        const name = 'production/fe80::1:22';
        const first = { ...place, key: key('a'), earlier: [] };
        await records.apply([{ kind: 'host-key', key: name, value: first, expected: 0 }]);
        const second = { ...place, key: key('b'), earlier: [{ ...key('a'), at: now() }] };
        await records.apply([{ kind: 'host-key', key: name, value: second, expected: 1 }]);
        assert.deepEqual(await records.list('host-key', 'production/'), [
          { key: name, version: 2, at: now(), value: second },
        ]);
        const late = { kind: 'host-key', key: name, value: first, expected: 1 } as const;
        assert.deepEqual(await records.apply([late]), { kind: 'conflict', key: name });
        assert.deepEqual(await records.list('host-key', 'prod'), await records.list('host-key'));
        assert.deepEqual(await records.list('host-key', 'prod/'), []);
      }),
    );

    test(
      'a list has the records of its kind whose key starts with the prefix, by key',
      withStore(async ({ records }) => {
        const keys = ['shop/2', 'shop', 'Shop/1', 'shop/1', 'shop/ü', 'shops/1', 'sho%/1'];
        await records.apply(keys.map((key) => put(key)));
        const listed = async (prefix?: string) => (await records.list('token', prefix)).map(({ key }) => key);
        assert.deepEqual(await listed('shop/'), ['shop/1', 'shop/2', 'shop/ü']);
        assert.deepEqual(await listed('sho%'), ['sho%/1']);
        assert.equal((await listed()).length, keys.length);
      }),
    );
  });
}
