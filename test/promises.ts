/**
 * What Edge promises of a deployment, in the words that the titles of its end-to-end tests bear between « and ».
 * `npm run features` shows for each promise the tests that show it, and fails where one is missing.
 */

/** The balancers that a promise is shown on: real HAProxy, real nginx, and the lab's double of an F5. */
export const BALANCERS = ['HAProxy', 'nginx', 'F5'] as const;
export type Balancer = (typeof BALANCERS)[number];

export type PromiseMade = {
  readonly id: string;
  readonly area: string;
  readonly words: string;
  /** Shown on each of these; left out: it has nothing to do with a balancer. */
  readonly on?: readonly Balancer[];
};

const ALL = BALANCERS;
/** Those that look at the health of their members and remember clients; nginx (open source) does neither. */
const WATCHFUL = ['HAProxy', 'F5'] as const;
const F5 = ['F5'] as const;

type Row = readonly [id: string, words: string, on?: readonly Balancer[]];

const AREAS: Readonly<Record<string, readonly Row[]>> = {
  Batches: [
    ['canary', 'a canary goes first, and nothing else before it is well', ALL],
    ['batch-sizes', 'batches grow, have a fixed count, or a percentage', ALL],
    ['sliding-window', 'a batch slides, with no more at once than `parallel` says', ALL],
    ['others', 'what was out of service comes last, as others, outside of every budget', ALL],
    ['zones-in-order', 'zones are successive stages', ALL],
    ['zones-side-by-side', 'zones are lanes side by side', ALL],
    ['zone-floors', 'zones keep a floor of their own', ['HAProxy']],
    ['zone-budgets', 'each zone has a budget of failures of its own', ALL],
  ],
  Capacity: [
    ['asked-anew', 'before every grant the balancer is asked anew', ALL],
    ['every-pool', 'capacity is counted in every pool that a server is in', ALL],
    ['down-already', 'members that are down or out already count', ALL],
    ['foreign-holds', 'holds of other projects count', ALL],
    ['capacity-wait', 'short of capacity a target waits until there is room', ALL],
    ['capacity-shrink', 'a batch shrinks to what the floor leaves', ALL],
    ['capacity-hold', 'what waits too long for capacity is held for a person', ALL],
  ],
  Drain: [
    ['live-connections', 'a drain waits until no live connection is left', ALL],
    ['drain-deadline', 'at the deadline a drain forces, stops or continues, as the policy says', ALL],
    ['read-back', 'what was written to a balancer is read back', ALL],
    ['persistence', 'clients that the balancer remembers are moved, and never cut off', WATCHFUL],
    ['as-found', 'a member comes back exactly as it was found', ALL],
    ['kept-out', 'a drain that its balancer forgot is asserted again', ALL],
    ['gate', 'a gate on the host keeps requests off, whatever the balancer forgot', WATCHFUL],
    ['no-failed-request', 'servers are replaced under load without a failed request', ALL],
  ],
  Balancers: [
    ['several-pools', 'a server in several pools is drained in all of them', ALL],
    ['several-balancers', 'an environment may have several balancers', ALL],
    ['haproxy-socket', 'HAProxy is driven through its runtime socket', ['HAProxy']],
    ['haproxy-state', 'HAProxy keeps what was set over a reload', ['HAProxy']],
    ['nginx-file', 'nginx is changed through its file, tested and reloaded over SSH', ['nginx']],
    ['no-balancer', 'targets without a balancer are deployed too'],
  ],
  F5: [
    ['f5-active', 'the active unit of a pair is found, and followed over a failover', F5],
    ['f5-sync', 'a change counts when the peer has it', F5],
    ['f5-save', 'the configuration is saved, so that a reboot does not forget', F5],
    ['f5-tokens', 'one token serves a process, within the quota, and is deleted at its end', F5],
    ['f5-permission', 'a missing permission is told apart from an ended token', F5],
    ['f5-starting', 'a REST interface that starts is told apart from what is not found', F5],
    ['f5-names', 'partitions, folders, route domains and IPv6 are reached by their names', F5],
    ['f5-priority-groups', 'members of a priority group in reserve are no capacity', F5],
    ['f5-serial', 'all who write to a device do so one after the other', F5],
  ],
  Health: [
    ['health-http', 'over HTTP, health is a status, a text, a value in JSON and the version in a header'],
    ['health-tcp', 'health is a port that takes connections'],
    ['health-command', 'health is a command that succeeds on the host'],
    // Not F5: its drains end offline, where no monitor looks, so that such a check is refused there.
    ['health-monitor', 'health is what the monitor of the balancer sees', ['HAProxy']],
    ['monitor-at-return', 'a member is returned only when its monitor sees it up', WATCHFUL],
    ['health-in-a-row', 'healthy means so many passes in a row within a window'],
    ['health-flapping', 'a target that flaps fails'],
    ['health-cause', 'the cause of a failed health check is shown'],
  ],
  Failure: [
    [
      'prepared',
      'a release is brought to each target before its turn, and what cannot take it stays in service',
    ],
    ['partial-success', 'a failure within the budget is an exception of a deployment that succeeds'],
    ['spent-budget', 'a budget of failures that is spent stops the deployment'],
    ['reactions', 'what follows on a failure depends on its cause: rollback, pause or abort'],
    ['exclude', 'one target is excluded, and the deployment goes on'],
    ['by-hand', "a step's result is set by hand with a reason, and the record says so"],
    ['retries', 'a step is tried again by itself, with pauses that are data'],
  ],
  Strategies: [
    ['own-steps', 'a strategy lists steps of its own'],
    ['checked-steps', 'steps of a strategy are checked against the schemas of their actions'],
    ['owned-strategies', 'an environment owns the strategies that its projects choose from'],
    ['locked-fields', 'what an environment has locked no project sets otherwise'],
  ],
  Properties: [
    [
      'property-files',
      'files as templates with variables scoped environment × project × zone × target, secrets by reference',
    ],
    ['property-frozen', 'the plan freezes the digest of the property files of each target'],
    ['property-diff', '`edge diff` shows per target what would change on disk, secrets masked'],
    ['property-rollout', 'property files are rolled out alone, by reload or restart, or with the artifact'],
  ],
  Artifacts: [
    ['artifact-http', 'artifacts over HTTP(S), with credentials by reference and a digest'],
    ['artifact-maven', 'artifacts in the layout of a Maven repository'],
    ['artifact-file', 'artifacts that are local files'],
    ['artifact-upload', 'artifacts that are uploaded through the API'],
    ['artifact-git', 'artifacts of a commit of a Git repository'],
    ['artifact-fan-out', 'an artifact is pulled once per pool, kept, and fanned out'],
    ['artifact-unpack', 'a tar, a zip or a single file'],
    ['artifact-safe', 'an archive is unpacked safely, into the folder of its release'],
    ['artifact-preflight', 'artifacts are looked at before any target is touched'],
  ],
  Drift: [
    [
      'drift',
      'drift is found: what is on each server now against what Edge put there, on demand and on schedule',
    ],
    ['one-release', 'artifact, property files and variables are one release: to the last byte on 20 targets'],
  ],
  'Life cycle': [
    ['hooks', 'hooks run before and after deployment, stage and batch, on failure and always'],
    ['plug-ins', 'plug-ins add actions, which are steps like any other'],
    ['scripts-frozen', 'scripts are frozen in the plan, by their hash'],
    ['outputs', 'later steps use what a script gives'],
    ['progress-lines', 'a script shows how far it is, line by line'],
  ],
  Commands: [
    ['command-policy', 'a command policy says what may run on the targets of an environment'],
    ['exec', '`edge exec` runs a command once on each chosen target, and shows equal answers together'],
    ['exec-permission', '`edge exec` is for those who may run commands, and the record has who it was'],
  ],
  Inventory: [
    ['inventory-pool', 'targets from the members of a pool'],
    ['inventory-file', 'targets from a file'],
    ['inventory-command', 'targets from a command, such as an inventory of Ansible'],
    ['inventory-http', 'targets from an address'],
  ],
  Releases: [
    ['release-from-ci', '`edge releases create` makes a release from a build job'],
    ['release-changes', 'a plan tells the tickets and authors of the releases between'],
    ['through-environments', 'one release is promoted through environments, by --from and policy.after'],
  ],
  SSH: [
    ['ssh-agent', 'a log-in by an agent'],
    ['ssh-config', 'hosts as `~/.ssh/config` says'],
    ['ssh-jump', 'hosts behind jump hosts'],
    ['ssh-ca', 'hosts and users are known by certificates of an authority'],
    ['ssh-password', 'a password is sent only where one is configured'],
    ['ssh-first-use', 'a key that a host shows is trusted once a person says so, and the record says who'],
    ['ssh-openssh', "the system's OpenSSH client is a second transport"],
  ],
  Plan: [
    ['forecast', 'a plan says how long it takes, from what its steps took before'],
    ['forecast-fleet', 'a project without a history is forecast from the fleet'],
    ['capacity-curve', 'a plan shows the capacity before, during and after each batch'],
    ['risk-notes', 'a plan says what is risky about it'],
    ['simulate', '`edge plan --simulate` runs that very plan, with failures as often as in the log'],
  ],
  Approvals: [
    [
      'approvals',
      'N approvals by token holders with the permission, never the requester, bound to plan hash and artifact digest',
    ],
    ['approvals-void', 'an approval is void after any edit'],
    ['promote', 'an administrator promotes a deployment past its approvals, with a reason'],
  ],
  Guides: [
    ['guide-first', 'the guide to your first real environment can be typed as it stands'],
    ['guide-ansible', 'the guide from Ansible can be typed as it stands'],
    ['guide-jenkins', 'the guide from Jenkins and Fabric can be typed as it stands'],
    ['guide-f5', 'the guide to F5 permissions can be typed as it stands'],
  ],
};

export const PROMISES: readonly PromiseMade[] = Object.entries(AREAS).flatMap(([area, rows]) =>
  rows.map(([id, words, on]) => ({ id, area, words, ...(on && { on }) })),
);
