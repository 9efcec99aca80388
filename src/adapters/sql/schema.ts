import type { Dialect } from './dialect.ts';

export type Migration = {
  readonly version: number;
  readonly name: string;
  readonly statements: readonly string[];
};

/**
 * Numbered, applied in order, never edited: a test holds the digest of each. Column types are those that SQLite, MySQL and
 * MariaDB share; times are ms since the epoch; JSON is text. Foreign keys guard what is written rarely; the hot tables
 * (events, inbox, tasks, output) are only ever written by an operation that has just changed their deployment's row.
 */
export const migrations = (dialect: Dialect): readonly Migration[] => [
  { version: 1, name: 'store', statements: [...deployments(dialect), ...work(dialect), ...rest(dialect)] },
  {
    version: 2,
    name: 'unproven targets',
    statements: ['ALTER TABLE placed ADD COLUMN unproven INTEGER NOT NULL DEFAULT 0'],
  },
  {
    version: 3,
    name: 'checkpoints in order',
    statements: ['ALTER TABLE tasks ADD COLUMN checkpoint_no BIGINT NOT NULL DEFAULT 0'],
  },
  { version: 4, name: 'kept out of service', statements: KEPT_OUT },
];

/** `keeper_until`, `silent_until`: see keep-out.ts. */
const KEPT_OUT: readonly string[] = [
  'ALTER TABLE holds ADD COLUMN keep_as VARCHAR(10)',
  'ALTER TABLE holds ADD COLUMN worker_pool VARCHAR(200)',
  'ALTER TABLE holds ADD COLUMN reach LONGTEXT',
  'ALTER TABLE holds ADD COLUMN keeper VARCHAR(200)',
  'ALTER TABLE holds ADD COLUMN keeper_no BIGINT NOT NULL DEFAULT 0',
  'ALTER TABLE holds ADD COLUMN keeper_until BIGINT NOT NULL DEFAULT 0',
  'ALTER TABLE holds ADD COLUMN silent_until BIGINT NOT NULL DEFAULT 0',
  'CREATE INDEX holds_kept ON holds (worker_pool)',
];

/** The newest version that this program knows. */
export const SCHEMA_VERSION = 4;

/** `open`: a driver has to look at it. `driven_at`: when one last did; acquire takes the oldest first. */
const deployments = ({ tableEnd }: Dialect): readonly string[] => [
  `CREATE TABLE plans (hash VARCHAR(64) NOT NULL PRIMARY KEY, body LONGTEXT NOT NULL) ${tableEnd.plain}`,
  `CREATE TABLE deployments (
    id VARCHAR(100) NOT NULL PRIMARY KEY,
    project VARCHAR(200) NOT NULL, environment VARCHAR(200) NOT NULL,
    verb VARCHAR(20) NOT NULL, hard INTEGER NOT NULL,
    release_id VARCHAR(200), release_version VARCHAR(200),
    plan_hash VARCHAR(64) NOT NULL REFERENCES plans (hash),
    created_by VARCHAR(200) NOT NULL, caused_by VARCHAR(100),
    created_at BIGINT NOT NULL, started_at BIGINT, ended_at BIGINT,
    status VARCHAR(20) NOT NULL, reason LONGTEXT NOT NULL, counts VARCHAR(200) NOT NULL, exceptions INTEGER NOT NULL,
    stream_version BIGINT NOT NULL, wake_at BIGINT,
    lease_owner VARCHAR(200), lease_epoch BIGINT NOT NULL, lease_until BIGINT NOT NULL,
    driven_at BIGINT NOT NULL, open INTEGER NOT NULL
  ) ${tableEnd.plain}`,
  'CREATE INDEX deployments_open ON deployments (open, driven_at)',
  'CREATE INDEX deployments_created ON deployments (created_at)',
  'CREATE INDEX deployments_place ON deployments (project, environment, created_at)',
  `CREATE TABLE deployment_pools (
    deployment VARCHAR(100) NOT NULL REFERENCES deployments (id),
    balancer VARCHAR(200) NOT NULL, pool VARCHAR(200) NOT NULL,
    PRIMARY KEY (deployment, balancer, pool)
  ) ${tableEnd.clustered}`,
  `CREATE TABLE locks (
    project VARCHAR(200) NOT NULL, environment VARCHAR(200) NOT NULL,
    deployment VARCHAR(100) NOT NULL UNIQUE REFERENCES deployments (id),
    PRIMARY KEY (project, environment)
  ) ${tableEnd.clustered}`,
  `CREATE TABLE events (
    deployment VARCHAR(100) NOT NULL, version BIGINT NOT NULL, at BIGINT NOT NULL, body LONGTEXT NOT NULL,
    PRIMARY KEY (deployment, version)
  ) ${tableEnd.clustered}`,
  `CREATE TABLE snapshots (
    deployment VARCHAR(100) NOT NULL PRIMARY KEY, version BIGINT NOT NULL, state LONGTEXT NOT NULL
  ) ${tableEnd.plain}`,
];

/**
 * `tasks.due_at`: from when a worker may claim the row; of a claimed row the end of its lease, NULL once it is reported. So
 * one index finds what is ready, what waits and what was left behind. `cancel`: see tasks.ts. `submitted`: ids of commands, kept when the inbox
 * row is gone, which makes them unique; reports need none, since their task's row tells a second one from the first.
 */
const work = ({ ordinal, tableEnd }: Dialect): readonly string[] => [
  `CREATE TABLE inbox (
    seq ${ordinal}, deployment VARCHAR(100) NOT NULL, id VARCHAR(200) NOT NULL, body LONGTEXT NOT NULL
  ) ${tableEnd.plain}`,
  'CREATE INDEX inbox_deployment ON inbox (deployment, seq)',
  `CREATE TABLE submitted (
    id VARCHAR(200) NOT NULL PRIMARY KEY, deployment VARCHAR(100) NOT NULL REFERENCES deployments (id)
  ) ${tableEnd.clustered}`,
  `CREATE TABLE tasks (
    n ${ordinal}, id VARCHAR(150) NOT NULL UNIQUE, deployment VARCHAR(100) NOT NULL,
    target VARCHAR(200) NOT NULL, step VARCHAR(200) NOT NULL, action VARCHAR(200) NOT NULL, pool VARCHAR(200) NOT NULL,
    inputs LONGTEXT NOT NULL, state VARCHAR(10) NOT NULL,
    wake_at BIGINT NOT NULL, due_at BIGINT, deadline_at BIGINT NOT NULL,
    owner VARCHAR(200), epoch BIGINT NOT NULL, attempt INTEGER NOT NULL, lease_ms BIGINT NOT NULL,
    quarantine_until BIGINT NOT NULL, cancel INTEGER NOT NULL, checkpoint LONGTEXT, progress LONGTEXT
  ) ${tableEnd.plain}`,
  'CREATE INDEX tasks_due ON tasks (pool, due_at)',
  'CREATE INDEX tasks_deadline ON tasks (deployment, deadline_at)',
];

const rest = ({ serial, tableEnd }: Dialect): readonly string[] => [
  `CREATE TABLE pools (
    balancer VARCHAR(200) NOT NULL, pool VARCHAR(200) NOT NULL, version BIGINT NOT NULL,
    PRIMARY KEY (balancer, pool)
  ) ${tableEnd.clustered}`,
  `CREATE TABLE holds (
    balancer VARCHAR(200) NOT NULL, pool VARCHAR(200) NOT NULL, member VARCHAR(200) NOT NULL,
    deployment VARCHAR(100) NOT NULL REFERENCES deployments (id), target VARCHAR(200) NOT NULL,
    phase VARCHAR(10) NOT NULL, reason LONGTEXT NOT NULL, as_found LONGTEXT NOT NULL,
    PRIMARY KEY (balancer, pool, member)
  ) ${tableEnd.clustered}`,
  'CREATE INDEX holds_deployment ON holds (deployment, target)',
  `CREATE TABLE placed (
    project VARCHAR(200) NOT NULL, environment VARCHAR(200) NOT NULL, target VARCHAR(200) NOT NULL,
    release_id VARCHAR(200) NOT NULL, at BIGINT NOT NULL, deployment VARCHAR(100) NOT NULL,
    PRIMARY KEY (project, environment, target)
  ) ${tableEnd.clustered}`,
  `CREATE TABLE output (
    id ${serial}, deployment VARCHAR(100) NOT NULL, task VARCHAR(150) NOT NULL, epoch BIGINT NOT NULL, seq BIGINT NOT NULL,
    target VARCHAR(200) NOT NULL, step VARCHAR(200) NOT NULL, at BIGINT NOT NULL, body LONGTEXT NOT NULL,
    UNIQUE (task, epoch, seq)
  ) ${tableEnd.plain}`,
  'CREATE INDEX output_deployment ON output (deployment, id)',
  `CREATE TABLE records (
    kind VARCHAR(40) NOT NULL, name VARCHAR(300) NOT NULL,
    version BIGINT NOT NULL, at BIGINT NOT NULL, value LONGTEXT,
    PRIMARY KEY (kind, name)
  ) ${tableEnd.clustered}`,
];
