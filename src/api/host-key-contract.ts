import { z } from 'zod';
import { fingerprintField } from '../domain/environment.ts';
import { hostField, portField } from '../domain/fields.ts';
import { atField, environmentField, projectField, targetNameField } from './fields.ts';
import { type Route, route } from './route.ts';
import { errorBodySchema } from './shapes.ts';

/** The routes by which people look at the SSH keys of hosts, and record those that they trust. */

const MEGABYTE = 1_048_576;

const place = z.strictObject({ project: projectField, environment: environmentField });

const shownKey = z.object({
  type: z
    .string()
    .regex(/^[a-z0-9@.-]{1,100}$/, 'a type of key')
    .describe('Type of the key, such as ssh-ed25519.'),
  fingerprint: fingerprintField.describe('As `ssh-keygen -lf` prints it.'),
});

const recordedKey = shownKey.extend({
  by: z.string().describe('Name of the token that recorded it.'),
  at: atField,
});

const keyOfHost = z.strictObject({ address: hostField, port: portField, ...shownKey.shape });

const hostKeySchema = z
  .object({
    name: z.string().describe('Name of the target; of a jump host its address.'),
    jump: z.boolean().describe('A jump host, and no target.'),
    address: hostField,
    port: portField.nullable().describe('`null`: the file of configuration says it.'),
    shown: shownKey.nullable(),
    verdict: z
      .enum(['trusted', 'new', 'changed', 'unseen'])
      .describe('`new`: nobody knows this key; `changed`: another one is known; `unseen`: no key was shown.'),
    by: z
      .enum(['hostKey', 'knownHosts', 'config', 'record'])
      .nullable()
      .describe('What says which key is its own; the first three are of the configuration.'),
    recorded: recordedKey
      .extend({ earlier: z.array(recordedKey).describe('What it replaced, oldest first.') })
      .nullable(),
    problem: errorBodySchema.nullable().describe('Why nobody logs in there.'),
  })
  .meta({ id: 'HostKey' });

export const HOST_KEY_ROUTES = {
  showHostKeys: route({
    method: 'POST',
    path: '/v1/host-keys/shown',
    permission: 'host.trust',
    summary: 'Asks every host of a project environment for the key that it shows; records nothing.',
    longPoll: true,
    body: place.extend({
      targets: z.array(targetNameField).min(1).max(20_000).exactOptional().describe('Only these.'),
    }),
    response: z.object({
      hosts: z.array(hostKeySchema).describe('Jump hosts first, then the targets as configured.'),
    }),
  }),
  trustHostKeys: route({
    method: 'POST',
    path: '/v1/host-keys',
    permission: 'host.trust',
    summary: 'Records these very keys as those of hosts: all or none. No host is asked again.',
    longPoll: true,
    maxBodyBytes: 32 * MEGABYTE,
    body: place.extend({
      keys: z
        .array(
          keyOfHost.extend({
            replaces: fingerprintField
              .exactOptional()
              .describe('The recorded fingerprint in whose place it comes; refused if it is another.'),
          }),
        )
        .min(1)
        .max(100_000)
        .describe('As they were shown.'),
    }),
    response: z.object({
      recorded: z.array(keyOfHost.extend({ change: z.enum(['created', 'replaced', 'unchanged']) })),
    }),
  }),
} as const satisfies Readonly<Record<string, Route>>;
