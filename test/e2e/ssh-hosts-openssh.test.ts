import { userInfo } from 'node:os';
import { describe } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { hostsContract } from '../contracts/hosts.ts';
import { openSshWorld, PATIENT } from '../support/ssh-world.ts';

const { path: sshdPath = '', skip = false } = requireService('sshd');
/** Accounts and sudo rules for the test are made by root; without root one account does all. */
const withSudo = userInfo().uid === 0;

describe("«the system's OpenSSH client is a second transport»: the SSH adapter over it", { skip }, () => {
  const open = () =>
    openSshWorld({ sshdPath, network: '127.74.1' }, { times: PATIENT }, { transport: 'openssh' });
  hostsContract('openssh', open, { withShell: true, withSudo });
});
