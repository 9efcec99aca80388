import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostKeys, UnprovenHost } from '../../../src/ports/host-keys.ts';
import type { HostsBench } from './bench.ts';

const OTHER = { fingerprint: `SHA256:${'z'.repeat(43)}` };

/** What a host shows is seen before anybody logs in, and judged by what is known of it. */
export function keys(bench: HostsBench): void {
  const look = (hostKey?: UnprovenHost['hostKey'], more: Partial<UnprovenHost> = {}) => {
    const { hostKey: _, ...way } = bench.world.address;
    const keys: HostKeys = bench.hosts;
    return keys.shownKey({ ...way, ...more, ...(hostKey && { hostKey }) });
  };

  test('the key that a host shows is told with its type and fingerprint, and is the same again', async () => {
    const { refused, ...shown } = await look();
    assert.equal(shown.type, 'ssh-ed25519');
    assert.deepEqual({ fingerprint: shown.fingerprint }, bench.world.address.hostKey);
    assert.deepEqual(await look(), { ...shown, refused });
  });

  test('a key that nobody knows is refused as unknown, and one that differs as a mismatch', async () => {
    const unknown = await look();
    assert.equal(unknown.refused?.code, 'host_key_unknown');
    assert.ok(unknown.refused?.message.includes(unknown.fingerprint));
    const other = await look(OTHER);
    assert.equal(other.refused?.code, 'host_key_mismatch');
    assert.equal(other.fingerprint, unknown.fingerprint);
  });

  test('a known key is refused by nobody', async () => {
    assert.equal((await look(bench.world.address.hostKey)).refused, null);
  });

  test('nobody needs to be let in to see it', async () => {
    assert.equal((await look(bench.world.address.hostKey, { user: 'nobody-here' })).refused, null);
  });
}
