import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Group, measure } from './measured.ts';
import type { Rollout } from './rollout-edge.ts';
import { COURSE, type Estate, POOL } from './rollout-world.ts';

/** The same by ansible-playbook, as its users tune it: pipelining, ControlPersist, 50 forks, one connection for each host. */
export async function rolloutByAnsible(estate: Estate, version: string, group: Group): Promise<Rollout> {
  const folder = join(estate.folder, 'ansible');
  await mkdir(folder);
  const path = (name: string) => join(folder, name);
  await writeFile(path('ansible.cfg'), settingsOf(estate));
  await writeFile(path('inventory'), inventoryOf(estate));
  await writeFile(path('rollout.yml'), playbookOf(estate, version));
  const env = { ...process.env, ANSIBLE_CONFIG: path('ansible.cfg'), ANSIBLE_LOCALHOST_WARNING: '0' };
  const { stdout: _, ...cost } = await measure(
    group,
    ['ansible-playbook', '-i', path('inventory'), path('rollout.yml')],
    env,
  );
  return cost;
}

const settingsOf = ({ knownHosts, folder }: Estate): string => `[defaults]
forks = 50
gathering = explicit
interpreter_python = /usr/bin/python3
home = ${folder}/ansible/home
local_tmp = ${folder}/ansible/tmp
[ssh_connection]
pipelining = True
control_path_dir = ${folder}/ansible/cp
ssh_args = -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile=${knownHosts} -o StrictHostKeyChecking=yes
`;

const inventoryOf = ({ targets, user, identityFile }: Estate): string => `[web]
${targets.map(({ name, address, sshPort, port, home }) => `${name} ansible_host=${address} ansible_port=${sshPort} app_port=${port} app=${home}/app ansible_remote_tmp=${home}/.ansible/tmp`).join('\n')}
[web:vars]
ansible_user=${user}
ansible_ssh_private_key_file=${identityFile}
`;

function playbookOf({ socket, artifacts }: Estate, version: string): string {
  const { path = '', sha256 = '' } = artifacts.find((one) => one.version === version) ?? {};
  const balancer = `backend: ${POOL}, host: "{{ inventory_hostname }}", socket: ${socket}, wait: true, wait_interval: 1`;
  const look = `    - ansible.builtin.uri: { url: "http://{{ ansible_host }}:{{ app_port }}/health", return_content: true }
      delegate_to: localhost
      register: seen
      until: seen.content is defined and (seen.content | from_json).version == "${version}"
      retries: 50
      delay: 0`;
  return `- hosts: web
  serial: ${COURSE.batch}
  gather_facts: false
  tasks:
    - community.general.haproxy: { state: disabled, drain: true, ${balancer} }
      delegate_to: localhost
    - ansible.builtin.shell: cd && if [ -e app/current ]; then app/current/bin/stop; fi
    - ansible.builtin.file: { path: "{{ app }}/releases/${version}", state: directory }
    - ansible.builtin.copy: { src: ${path}, dest: "{{ app }}/${version}.tar.gz" }
    - ansible.builtin.shell: |
        set -eu
        cd
        echo '${sha256}  app/${version}.tar.gz' | sha256sum -c --status
        tar -xzf app/${version}.tar.gz -C app/releases/${version}
        rm app/${version}.tar.gz
        ln -sfn releases/${version} app/current
    - ansible.builtin.shell: cd && app/current/bin/start
${look}
    - ansible.builtin.command: sleep ${COURSE.intervalMs / 1_000}
      delegate_to: localhost
      run_once: true
${look}
    - community.general.haproxy: { state: enabled, ${balancer} }
      delegate_to: localhost
`;
}
