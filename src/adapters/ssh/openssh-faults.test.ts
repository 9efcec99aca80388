import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostAddress } from '../../ports/hosts.ts';
import { isRefusedChannel, masterFault, shownIn } from './openssh-faults.ts';

const HOST: HostAddress = {
  ...{ name: 'web-1', address: '10.0.0.1', port: 22, user: 'deploy', identityFile: '/key' },
  hostKey: { knownHosts: '/known_hosts' },
};
const codeOf = (words: string, host = HOST) => masterFault(host, words).code;

test('what ssh says when it gives up is told apart', () => {
  const cases = [
    [
      'No ED25519 host key is known for 10.0.0.1 and you have requested strict checking.\nHost key verification failed.',
      'host_key_unknown',
    ],
    [
      '@@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@@\nHost key for 10.0.0.1 has changed and you have requested strict checking.\nHost key verification failed.',
      'host_key_mismatch',
    ],
    [
      '@    WARNING: REVOKED HOST KEY DETECTED!     @\nThe ED25519 host key for 10.0.0.1 is marked as revoked.\nHost key verification failed.',
      'host_key_mismatch',
    ],
    ['Certificate invalid: expired\nHost key verification failed.', 'host_key_unknown'],
    ['deploy@10.0.0.1: Permission denied (publickey).', 'host_auth_refused'],
    ['Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures', 'host_auth_refused'],
    ['command-line: line 0: Bad configuration option: knownhostscommand', 'host_unfit'],
    ['ssh: connect to host 10.0.0.1 port 22: Connection refused', 'host_unreachable'],
    ['kex_exchange_identification: Connection closed by remote host', 'host_unreachable'],
    ['', 'host_unreachable'],
  ] as const;
  for (const [words, code] of cases) assert.equal(codeOf(words), code, words);
});

test('a host that did not show the pinned key is named with both keys', () => {
  const pinned = { ...HOST, hostKey: { fingerprint: 'SHA256:pinned' } };
  const words =
    '@shown SHA256:other\nNo ED25519 host key is known for 10.0.0.1.\nHost key verification failed.';
  const fault = masterFault(pinned, words);
  assert.equal(fault.code, 'host_key_mismatch');
  assert.match(fault.message, /SHA256:other; pinned is SHA256:pinned/);
});

test('a host with another key than the known one is named with its key and the file', () => {
  const words =
    'The fingerprint for the ED25519 key sent by the remote host is\nSHA256:other.\nPlease contact your system administrator.\nHost key for 10.0.0.1 has changed and you have requested strict checking.';
  assert.match(masterFault(HOST, words).message, /showed the key SHA256:other; \/known_hosts says another$/);
});

test('a channel that the host refuses is told from a command that failed', () => {
  assert.ok(
    isRefusedChannel('mux_client_request_session: session request failed: Session open refused by peer\n'),
  );
  assert.ok(!isRefusedChannel('no shell today\n'));
});

const SHOWN = '@shown SHA256:abc ssh-ed25519\r\n';
const DENIED = 'deploy@10.0.0.1: Permission denied (publickey).\r\n';
const UNKNOWN = 'No ED25519 host key is known for 10.0.0.1 and you have requested strict checking.\r\n';

test('a key that was shown is judged by how the log-in without anything ended', () => {
  const seen = (host: HostAddress, words: string) => {
    const { refused, ...key } = shownIn(host, words);
    assert.deepEqual(key, { type: 'ssh-ed25519', fingerprint: 'SHA256:abc' });
    return refused?.code;
  };
  assert.equal(seen(HOST, SHOWN + DENIED), undefined);
  assert.equal(seen(HOST, SHOWN + UNKNOWN), 'host_key_unknown');
  assert.equal(seen({ ...HOST, hostKey: { fingerprint: 'SHA256:abc' } }, SHOWN + UNKNOWN), undefined);
  assert.equal(
    seen({ ...HOST, hostKey: { fingerprint: 'SHA256:abd' } }, SHOWN + UNKNOWN),
    'host_key_mismatch',
  );
});

test('an end that tells nothing of the key says why there is none', () => {
  assert.throws(() => shownIn(HOST, 'ssh: connect to host: Connection refused'), {
    code: 'host_unreachable',
  });
  assert.throws(() => shownIn(HOST, DENIED), { code: 'host_auth_refused' });
  assert.throws(() => shownIn(HOST, `${SHOWN}Connection reset by peer`), { code: 'host_unreachable' });
});
