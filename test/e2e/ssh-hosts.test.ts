import { userInfo } from 'node:os';
import { describe } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { hostsContract } from '../contracts/hosts.ts';
import { openSshWorld } from '../support/ssh-world.ts';

const { path: sshdPath = '', skip = false } = requireService('sshd');
const busybox = requireService('busybox');
/** Accounts and sudo rules for the test are made by root; without root one account does all. */
const withSudo = userInfo().uid === 0;

describe('the SSH adapter on real OpenSSH', { skip, concurrency: 3 }, () => {
  hostsContract('dash', () => openSshWorld({ sshdPath, network: '127.71.1' }), { withShell: true, withSudo });
  hostsContract('bash --posix', () => openSshWorld({ sshdPath, network: '127.71.2', shell: 'bash' }), {
    withShell: true,
  });
  describe('busybox', { skip: busybox.skip ?? false }, () => {
    hostsContract('busybox ash', () => openSshWorld({ sshdPath, network: '127.71.3', shell: 'busybox' }), {
      withShell: true,
    });
  });
});
