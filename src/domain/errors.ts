/**
 * The errors that a request or a command line is answered with. `fault`: who can mend it. `http`: the API's status. `exit`: the CLI's exit status
 * (docs/reference/errors.md is made from this table). `hint`: what to do; a thrown error may give a better one.
 */
export type CatalogueEntry = {
  readonly fault: 'user' | 'target' | 'world' | 'edge';
  readonly retryable: boolean;
  readonly http: number;
  readonly exit: number;
  readonly title: string;
  readonly hint: string;
};

const entry = (
  fault: CatalogueEntry['fault'],
  http: number,
  exit: number,
  title: string,
  hint: string,
  retryable = false,
): CatalogueEntry => ({ fault, retryable, http, exit, title, hint });

// biome-ignore format: a table reads best with one row a line
export const CATALOGUE = {
  // The request
  usage_invalid: entry('user', 400, 2, 'The command line is not understood', 'Run `edge help` for the commands and their options.'),
  request_invalid: entry('user', 400, 2, 'The request does not match the API', 'Compare the request with /openapi.json.'),
  route_unknown: entry('user', 404, 2, 'The API has no such address', 'See /openapi.json for the routes of this server.'),
  // Configuration
  config_unreadable: entry('user', 422, 2, 'A configuration file cannot be read', 'Check the path and its permissions.'),
  samples_invalid: entry('user', 422, 2, 'A file of measured values cannot be used', 'Mend what is named; `edge help judge` says what is in such a file.'),
  config_syntax: entry('user', 422, 2, 'A configuration file is not valid YAML', 'Mend the line that is named.'),
  config_invalid: entry('user', 422, 2, 'A configuration value is not allowed', 'Mend the value that is named; docs/reference/configuration.md lists every field.'),
  config_reference: entry('user', 422, 2, 'The configuration names something that does not exist', 'Add it, or mend the name.'),
  config_duplicate: entry('user', 422, 2, 'The configuration defines one thing twice', 'Remove one of the two.'),
  // Things that are not there
  project_unknown: entry('user', 404, 3, 'No such project', 'Run `edge status` for the projects, or `edge apply` to add one.'),
  environment_unknown: entry('user', 404, 3, 'No such environment for this project', 'Run `edge status`, or `edge apply` a project environment.'),
  release_unknown: entry('user', 404, 3, 'No such release', 'Run `edge releases <project>` for those that exist.'),
  deployment_unknown: entry('user', 404, 3, 'No such deployment', 'Run `edge history` for the deployments.'),
  target_unknown: entry('user', 404, 3, 'The deployment has no such target', 'Run `edge status <deployment>` for its targets.'),
  parked_unknown: entry('user', 404, 3, 'No such target is parked', 'Run `edge status` for what is parked.'),
  // Who may
  token_missing: entry('user', 401, 4, 'No token was sent', 'Set EDGE_TOKEN, or pass --token.'),
  token_invalid: entry('user', 401, 4, 'The token is not known, expired or revoked', 'Ask an administrator for a new one: `edge token create`.'),
  permission_denied: entry('user', 403, 4, 'The token lacks the permission', 'Use a token of a role that has it; `edge token list` shows the roles.'),
  // Planning
  release_exists: entry('user', 409, 5, 'A release of this version exists with other content', 'A release is immutable: give the new content a new version.'),
  release_missing_rollback: entry('user', 409, 5, 'There is no earlier release to roll back to', 'Name one with --to, or deploy one first.'),
  artifact_unreadable: entry('user', 422, 5, 'An artifact cannot be read', 'Check that its source has it and lets Edge read it: a file on the machine of the server, an address, a commit.'),
  artifact_unreachable: entry('world', 502, 7, 'The source of an artifact does not answer', 'Check its address from the machine that asks; what was brought so far is kept, and the next try goes on from there.', true),
  artifact_store_full: entry('user', 507, 5, 'There is no room for an artifact', 'Give the store more with --artifact-space, or let it have more of the disk.'),
  artifact_mismatch: entry('user', 422, 5, 'An artifact does not have the digest of the release', 'The file was changed after the release was made: make a new release.'),
  variable_undefined: entry('user', 422, 5, 'A property file cannot be made for a target', 'Define the variable for this environment, zone or target in a new release.'),
  reload_impossible: entry('user', 409, 5, 'A reload alone cannot bring this release', 'Deploy it without --reload: its targets are drained, stopped and started then.'),
  floor_impossible: entry('user', 409, 5, 'The floor leaves no server that may be taken out', 'Lower minInService, or bring servers back into service first.'),
  inventory_unreachable: entry('world', 502, 7, 'An inventory gives no answer', 'Nothing was planned or started. Try what it reads by hand, on the machine of the server; `edge targets` reads it again.', true),
  inventory_invalid: entry('user', 422, 5, 'An inventory says something that cannot be used', 'Nothing of it was used. Mend the row that is named; `edge targets` reads it again.'),
  command_refused: entry('user', 403, 5, 'The environment does not let a command run', 'Change the command, or have `commands` of the environment changed by whoever owns it.'),
  plan_empty: entry('user', 409, 5, 'There is nothing to do', 'All targets are on this release, running and in service; --force reinstalls.'),
  plan_changed: entry('user', 409, 5, 'The plan is not the one that was read', 'Read it again with `edge plan`, then start that one.'),
  release_unproven: entry('user', 409, 5, 'The release has not succeeded where it has to come from', 'Deploy it there first, and see that it succeeds on every target.'),
  plan_too_large: entry('user', 422, 5, 'The plan is larger than Edge accepts', 'Split the environment; a plan holds at most 20,000 targets.'),
  // Running
  environment_locked: entry('user', 409, 6, 'Another deployment holds this project and environment', 'Wait for it, or end it with `edge abort`.', true),
  deployment_ended: entry('user', 409, 6, 'The deployment has ended', 'Start a new one.'),
  verb_refused: entry('user', 409, 6, 'The deployment cannot do this now', 'Run `edge status <deployment>` to see where it stands.'),
  approval_refused: entry('user', 403, 4, 'This token cannot approve the deployment', 'Another person has to: whoever asks for a deployment approves it never, and nobody twice.'),
  target_active: entry('user', 409, 6, 'The target is still being worked on', 'Pause the deployment, or wait until its step has ended.', true),
  // The world
  host_unreachable: entry('target', 502, 7, 'A host cannot be reached over SSH', 'Check address, port, sshd and firewalls; `edge doctor` tries each host.', true),
  host_key_mismatch: entry('target', 502, 7, 'A host showed another key than the known one', 'Do not go on before you know why. Then put the new key where the old one is: known_hosts, `hostKey` of the target, or the record, by `edge trust --replace`.'),
  host_key_unknown: entry('target', 502, 7, 'A host has no known key', '`edge trust` shows its key, and records it where the environment names no known_hosts; else add it to that file, or pin it as `hostKey` of the target.'),
  host_auth_refused: entry('target', 502, 7, 'A host refused the log-in', 'Check user, key, agent or password of the environment, and authorized_keys on the host.'),
  host_unfit: entry('target', 502, 7, 'A host lacks what Edge needs', 'Install the named program, or free the named disk.'),
  balancer_unreachable: entry('world', 502, 7, 'A balancer cannot be reached', 'Check its address; Edge goes on when it answers.', true),
  balancer_refused: entry('world', 502, 7, 'A balancer refused the request', 'Check the credentials and the role of the account.'),
  balancer_member_unknown: entry('world', 502, 7, 'A pool has no such member', 'Compare pool and member names with the balancer.'),
  metrics_unreachable: entry('world', 502, 7, 'A source of metrics gives no answer', 'Check its address and its load from the machine that asks.', true),
  metrics_refused: entry('world', 502, 7, 'A source of metrics gives nothing that can be used for a query', 'Try the query there by hand, and compare the address of the source with what answers.'),
  metrics_limit: entry('user', 422, 5, 'A query asks for more metrics than can be had at once', 'Ask for a shorter time, longer steps or fewer series, such as a sum.'),
  secret_unavailable: entry('world', 502, 7, 'A secret cannot be resolved', 'Set the environment variable or file that it names, where the worker runs.'),
  // The server
  server_unreachable: entry('world', 503, 8, 'No Edge server answers', 'Start one with `edge server`, or check --server.', true),
  store_unavailable: entry('world', 503, 8, 'The state store does not answer', 'Running commands go on; Edge resumes when the store is back.', true),
  store_version: entry('user', 500, 8, 'The state store was written by another version of Edge', 'Run that version, or a newer one.'),
  data_folder_busy: entry('user', 500, 8, 'Another process cannot share this data folder', 'End it, or choose another folder with --data.'),
  listen_failed: entry('user', 500, 8, 'The server cannot listen on this address', 'Choose another with --listen.'),
  settings_invalid: entry('user', 500, 2, 'A setting of the server or CLI is not valid', 'Mend the option or environment variable that is named.'),
  internal: entry('edge', 500, 70, 'Edge met a fault of its own', 'Please report it with the text above; nothing was half-applied.'),
} as const satisfies Readonly<Record<string, CatalogueEntry>>;

export type ErrorCode = keyof typeof CATALOGUE;

export type StepFailure = Pick<CatalogueEntry, 'fault' | 'title' | 'hint'>;

/**
 * Why a step of a deployment fails, beside the errors above (an unreachable host is one there too). No request is answered
 * with these: they stand in the record of the deployment, and a command that follows it ends with 1.
 */
// biome-ignore format: a table reads best with one row a line
export const STEP_FAILURES = {
  command_failed: { fault: 'target', title: 'A command ended with an exit status that is not 0', hint: 'Read what it wrote: `edge logs <deployment> --target <target>`.' },
  script_changed: { fault: 'world', title: 'A script that is to be run is not the one of the plan', hint: 'Nothing of it was started. Deploy again; if it happens again, look at `sha256sum` on the host.' },
  script_value: { fault: 'target', title: 'What a script was given, or gave, is not what it declares', hint: 'Compare `parameters` and `outputs` of the script with what the message says; `edge logs` shows what it wrote.' },
  health_failed: { fault: 'target', title: 'A target was not healthy in time', hint: 'Read the log of the service on the target, and compare `health` of the project with what it answers.' },
  canary_failed: { fault: 'user', title: 'A canary is worse than the servers that it was compared with', hint: 'Look at the metric that is named, on the servers that are named; `edge logs <deployment> --target <target>` has the samples.' },
  canary_unsure: { fault: 'user', title: 'Nobody can say whether a canary is worse', hint: 'Look at the metrics that are named and decide; more servers, or a longer `mostMs` of the analysis, tell more.' },
  canary_no_data: { fault: 'world', title: 'There is nothing to judge a canary by', hint: 'Try the query that is named at its source by hand, for the servers of the canary and of the baseline.' },
  drain_timeout: { fault: 'target', title: 'Connections to a member did not end in time', hint: 'See which clients keep them; raise `drain.timeoutMs`, or end them with `drain.then: force`.' },
  member_not_up: { fault: 'target', title: 'The balancer does not see a member as up after it was enabled', hint: "Compare the balancer's health monitor with what the service answers." },
  task_cancelled: { fault: 'user', title: 'A step was ended, by an abort or at its deadline', hint: 'Its target is parked: bring it back with `edge return`.' },
  outcome_unknown: { fault: 'world', title: 'Nobody can say whether a step was done; it is tried again', hint: 'Nothing, while Edge tries; if it stays so, look at the target before `edge retry`.' },
} as const satisfies Readonly<Record<string, StepFailure>>;

/** All that can stand in the record as the reason of a failed step. */
export type FailureCode = ErrorCode | keyof typeof STEP_FAILURES;

/**
 * Where the cause is: a place in a file, a field of a request or of a document (`path`), a target, or a member as
 * `balancer/pool/member`, the balancer by its device.
 */
export type Where = {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly path?: string;
  readonly target?: string;
  readonly member?: string;
};

export type ErrorBody = {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly where?: Where;
  /** More of the same kind, when several things are wrong at once. */
  readonly also?: readonly ErrorBody[];
};

type Details = {
  readonly where?: Where;
  readonly hint?: string;
  readonly also?: readonly ErrorBody[];
  readonly cause?: unknown;
};

/** The only error that Edge throws on purpose. `message` says what is wrong, here and now; `hint` what to do. */
export class EdgeError extends Error {
  override readonly name = 'EdgeError';
  readonly code: ErrorCode;
  readonly body: ErrorBody;

  constructor(code: ErrorCode, message: string, details: Details = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.body = {
      code,
      message,
      hint: details.hint ?? CATALOGUE[code].hint,
      ...(details.where && { where: details.where }),
      ...(details.also?.length && { also: details.also }),
    };
  }
}

/** Several errors as one: the first, with the others beside it. Nothing where there is none. */
export function together([first, ...others]: readonly EdgeError[]): EdgeError | undefined {
  if (!first) return undefined;
  const { code, message, ...details } = first.body;
  return new EdgeError(code, message, { ...details, also: others.map(({ body }) => body) });
}

/** Any thrown value as an `EdgeError`; what is not from the catalogue is a fault of Edge's own. */
export function asEdgeError(thrown: unknown): EdgeError {
  if (thrown instanceof EdgeError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new EdgeError('internal', message, { cause: thrown });
}
