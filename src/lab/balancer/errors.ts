import type { JsonObject } from '../../lib/json.ts';

export type RestAnswer = { readonly status: number; readonly body: JsonObject | string };

/** An error of the REST layer, which knows nothing of the configuration. */
const rest = (status: number, message: string): RestAnswer => ({
  status,
  body: {
    code: status,
    message,
    referer: '127.0.0.1',
    restOperationId: 6_613_570,
    kind: ':resterrorresponse',
  },
});

/** An error of the configuration layer. */
const tmsh = (status: number, message: string, apiError: number): RestAnswer => ({
  status,
  body: { code: status, message, errorStack: [], apiError },
});

/** The errors of the device, worded as real ones word them (INTEGRATIONS.md 1.1 and 1.5). */
export const errors = {
  badRequest: (message: string) => rest(400, message),
  loginRefused: () => rest(401, 'Authentication failed.'),
  tooManyTokens: () =>
    rest(400, 'user 5c54d0f7-5f29-3a46-9aa4-3c6ba9a4a9b6 has reached maximum active login tokens'),
  tokenExpired: () => rest(401, 'X-F5-Auth-Token has expired.'),
  tokenUnknown: (status = 401) => rest(status, 'X-F5-Auth-Token does not exist.'),
  /** Begins like the one for a missing permission, and is another thing. */
  noToken: (path: string) =>
    rest(
      401,
      `Authorization failed: no user authentication header or token detected. Uri:http://localhost:8100${path} Referrer:127.0.0.1 Sender:127.0.0.1`,
    ),
  notAuthorised: (user: string, call: { readonly method: string; readonly path: string }) =>
    rest(
      401,
      `Authorization failed: user=https://localhost/mgmt/shared/authz/users/${user} resource=${call.path} verb=${call.method} uri:http://localhost:8100${call.path} referrer:127.0.0.1 sender:127.0.0.1`,
    ),
  noSuchPath: (path: string) => rest(404, `URI path ${path} not found.`),
  starting: (path: string) => rest(404, `Public URI path not registered: ${path}`),
  busy: () => rest(503, 'There is an active asynchronous task executing.'),
  restartingPage: (): RestAnswer => ({
    status: 503,
    body: '<html><body><h1>Configuration Utility restarting...</h1></body></html>',
  }),
  noPool: (pool: string) => tmsh(404, `01020036:3: The requested Pool (${pool}) was not found.`, 3),
  noMember: (pool: string, member: string) =>
    tmsh(404, `01020036:3: The requested Pool Member (${pool} ${member}) was not found.`, 3),
  noGroup: (group: string) =>
    tmsh(404, `01020036:3: The requested device group (${group}) was not found.`, 3),
  badProperty: (what: string) => tmsh(400, `01070734:3: Configuration error: ${what}`, 3),
};
