import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { projectRoot } from '../../../scripts/project.ts';
import { requireService } from '../../../scripts/services.ts';
import { deployment } from '../../../test/contracts/sample.ts';
import { type Mariadb, startMariadb } from '../../../test/support/mariadb.ts';
import { endpointOf, openStoreAt } from '../../../test/support/mysql-stores.ts';

const { path, skip = false } = requireService('mariadb');
/** For localhost, signed by itself. */
const CERT = join(projectRoot, 'test/fixtures/tls/device-cert.pem');
const KEY = join(projectRoot, 'test/fixtures/tls/device-key.pem');
const WITH_TLS = [`--ssl-cert=${CERT}`, `--ssl-key=${KEY}`];
const UNAVAILABLE = { code: 'store_unavailable' };

describe('mariadb: encrypted connections', { skip }, () => {
  let mariadb: Mariadb;
  let ca: string;
  before(async () => {
    mariadb = await startMariadb({ path: path ?? '', options: [...WITH_TLS, '--require-secure-transport'] });
    await mariadb.sql('CREATE DATABASE edge');
    ca = await readFile(CERT, 'utf8');
  });
  after(() => mariadb.stop());

  const endpoint = () => endpointOf(mariadb, 'edge', { host: 'localhost' });

  test('the store works over them', async () => {
    const store = await openStoreAt({ ...endpoint(), tls: { ca } });
    assert.deepEqual(await store.journal.create(deployment('d1')), { kind: 'created' });
    await store.close();
  });

  test('a server that demands them refuses others', async () => {
    await assert.rejects(openStoreAt(endpoint()), Error);
  });

  test('a certificate that nobody vouches for is refused', async () => {
    await assert.rejects(openStoreAt({ ...endpoint(), tls: {} }), { ...UNAVAILABLE, message: /certificate/ });
  });

  test('a certificate of another host is refused', async () => {
    // Another way to write 127.0.0.1, which the resolver takes for a name.
    const other = { ...endpoint(), host: '127.1', tls: { ca } };
    await assert.rejects(openStoreAt(other), { ...UNAVAILABLE, message: /Host: 127\.1\. is not/ });
  });

  test('an IP address is refused: the driver would not compare it with the certificate', async () => {
    const named = { ...endpoint(), host: '127.0.0.1', tls: { ca } };
    await assert.rejects(openStoreAt(named), { code: 'settings_invalid', message: /127\.0\.0\.1/ });
  });

  test('a server without them is refused, not spoken to in the clear', async () => {
    await mariadb.kill();
    await mariadb.start(['--skip-ssl']);
    await assert.rejects(openStoreAt({ ...endpoint(), tls: { ca } }), {
      ...UNAVAILABLE,
      message: /encrypted/,
    });
  });
});
