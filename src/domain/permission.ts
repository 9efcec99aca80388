/** Each route of the API needs one of these; a role is a set of them. */
export const PERMISSIONS = [
  'status.read',
  'deployment.read',
  'logs.read',
  'configuration.read',
  'configuration.write',
  'release.create',
  'deployment.plan',
  'deployment.start',
  'deployment.pause',
  'deployment.abort',
  'deployment.decide',
  'deployment.approve',
  'deployment.promote',
  'target.return',
  'target.resolve',
  'target.vouch',
  'host.trust',
  'host.exec',
  'token.manage',
  'worker.serve',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

export const ROLES = ['view', 'deploy', 'approve', 'lead', 'admin', 'worker'] as const;
export type Role = (typeof ROLES)[number];

const VIEW: readonly Permission[] = ['status.read', 'deployment.read', 'logs.read', 'configuration.read'];
const DEPLOY: readonly Permission[] = [
  ...VIEW,
  'release.create',
  'deployment.plan',
  'deployment.start',
  'deployment.pause',
  'deployment.abort',
  'deployment.decide',
  'target.return',
  'target.resolve',
];

/** `lead`: who deploys, and approves what others ask for, with one token: two would be two people to Edge. */
const LEAD: readonly Permission[] = [...DEPLOY, 'deployment.approve'];

/** `admin` has all but `worker.serve`: a worker's token is a thing of its own and good for nothing else. */
export const ROLE_PERMISSIONS: Readonly<Record<Role, ReadonlySet<Permission>>> = {
  view: new Set(VIEW),
  deploy: new Set(DEPLOY),
  approve: new Set([...VIEW, 'deployment.approve']),
  lead: new Set(LEAD),
  admin: new Set([
    ...LEAD,
    'deployment.promote',
    'target.vouch',
    'configuration.write',
    'host.trust',
    'host.exec',
    'token.manage',
  ]),
  worker: new Set(['worker.serve']),
};
