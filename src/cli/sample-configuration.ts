/** What `edge init` writes: one file for each kind of document, ready to be changed. */

const PROJECT = `# What is deployed: where it lives on the hosts, how it is started and stopped, and how it shows that it is well.
kind: project
name: shop
description: The web shop.

# Releases land in <folder>/releases/<release>, and <folder>/current points to the one that runs.
folder: /srv/shop
# Commands run as the user of the SSH login, or through sudo as another one:
# runAs: shop
keepReleases: 5

# Each command is a list of arguments; no shell reads it. It runs in the folder.
commands:
  start: [current/bin/start]
  stop: [current/bin/stop]

env:
  PORT: "8080"
  # A secret by reference; the worker resolves it when it is needed.
  # DATABASE_PASSWORD: { source: env, name: SHOP_DATABASE_PASSWORD }

# A target is well after three passes in a row, and failed if it is not well after a minute.
health:
  check: { kind: http, path: /health, status: 200 }
  passes: 3
  intervalMs: 1000
  windowMs: 60000
`;

const ENVIRONMENT = `# A named place: how its hosts and balancers are reached, its zones, and what holds for every project in it.
kind: environment
name: production
platform: datacenter

ssh:
  user: deploy
  identityFile: /etc/edge/id_ed25519
  # The keys of the hosts. Without it \`edge trust\` shows and records them.
  knownHosts: /etc/edge/known_hosts

balancers:
  front: { kind: haproxy, socket: /run/haproxy/admin.sock }
  # front:
  #   kind: f5
  #   url: https://f5.example.net
  #   username: edge
  #   password: { source: env, name: F5_PASSWORD }

# In the order in which deployments go through them.
zones:
  - name: east
  - name: west

policy:
  # Of each pool, never fewer members than this are in service. A deployment waits rather than go below.
  minInService: 75%
  # The first failure stops a deployment; then:
  maxFailures:
    deployment: { count: 1 }
  onFailure:
    health: rollback
    other: pause
`;

const STRATEGY = `# In what order and how fast the targets change.
kind: strategy
name: careful

# One target at first, then up to a tenth, a quarter, a half and all of them.
canary: 1
batches: [10%, 25%, 50%, 100%]
zones: in-order
parallel: 20

# A target is taken out of service, and stopped when its connections have ended or after five minutes.
drain: { timeoutMs: 300000, then: force }
settleMs: 2000
`;

const PROJECT_ENVIRONMENT = `# A project in one environment: its targets, and what is different there.
kind: project-environment
project: shop
environment: production
strategy: careful

# \`member\` is the target behind the balancer, as pool/member.
targets:
  - { name: shop-1, address: 10.0.1.11, port: 8080, zone: east, member: shop/shop-1 }
  - { name: shop-2, address: 10.0.1.12, port: 8080, zone: east, member: shop/shop-2 }
  - { name: shop-3, address: 10.0.2.11, port: 8080, zone: west, member: shop/shop-3 }
  - { name: shop-4, address: 10.0.2.12, port: 8080, zone: west, member: shop/shop-4 }
`;

export const SAMPLE_FILES: Readonly<Record<string, string>> = {
  'project.yaml': PROJECT,
  'environment.yaml': ENVIRONMENT,
  'strategy.yaml': STRATEGY,
  'project-environment.yaml': PROJECT_ENVIRONMENT,
};
