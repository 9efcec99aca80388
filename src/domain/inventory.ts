import { z } from 'zod';
import type { DeepReadonly } from '../lib/types.ts';
import {
  argvField,
  composedField,
  envField,
  nameField,
  portField,
  secretRefField,
  vendorNameField,
} from './fields.ts';

/** Where the targets of a project environment are read from, each time a plan is made. */

const patternsField = z
  .array(
    z
      .string()
      .regex(/^[A-Za-z0-9._*:/[\]-]{1,100}$/, 'a name, in which * stands for any letters, such as web-*'),
  )
  .min(1)
  .max(100);

const MOST_TARGETS = 20_000;

/** Longer texts are refused. */
export const MOST_INVENTORY_BYTES = 4 * 1_048_576;

/** What all kinds of inventories have. */
const common = {
  select: patternsField
    .exactOptional()
    .describe('Only targets whose name fits one of these, such as `web-*`; left out: all.'),
  exclude: patternsField.exactOptional().describe('And none whose name fits one of these.'),
  zones: z
    .record(nameField, patternsField)
    .exactOptional()
    .describe('Zone of the targets whose name fits, where the inventory says none; the first that fits.'),
  min: z
    .int()
    .min(1)
    .max(MOST_TARGETS)
    .default(1)
    .describe(
      'With fewer targets than this it is refused: an inventory that is empty or cut off must not look like an environment with nothing to do.',
    ),
  max: z
    .int()
    .min(1)
    .max(MOST_TARGETS)
    .default(10_000)
    .describe('With more targets than this it is refused.'),
};

const defaultsShared = {
  zone: nameField.exactOptional().describe('Zone.'),
  sshPort: portField.exactOptional().describe('Port of sshd.'),
  env: envField.exactOptional().describe('Environment variables; only here may they be secrets.'),
};

const textDefaults = z
  .strictObject({
    ...defaultsShared,
    port: portField.exactOptional().describe('Port of the service.'),
    address: composedField(['name'])
      .exactOptional()
      .describe('Host name or IP address, with `{name}` for the name of the target.'),
    member: composedField(['name', 'address', 'port', 'zone'])
      .exactOptional()
      .describe('Member, such as `web/{name}:8080`; also `{address}`, `{port}`, `{zone}`.'),
  })
  .exactOptional()
  .describe('What holds for targets of which the inventory does not say it.');

const pool = z.strictObject({
  from: z.literal('pool').describe('The members of a pool, as its balancer tells now.'),
  balancer: nameField
    .exactOptional()
    .describe('Name of the balancer; may be left out where there is only one.'),
  pool: vendorNameField.describe('Pool (of HAProxy: backend; of nginx: upstream).'),
  name: composedField(['member', 'host', 'address', 'port'])
    .default('{host}')
    .describe(
      'Name of the target: `{member}` is the name that the balancer has, `{host}` the same without partition and port; also `{address}`, `{port}`.',
    ),
  address: composedField(['name', 'member', 'host', 'address'])
    .default('{address}')
    .describe(
      'Where it is logged in: `{address}` is where the balancer sends traffic; also `{name}`, `{member}`, `{host}`.',
    ),
  also: z
    .array(
      composedField(['name', 'member', 'host', 'address', 'port']).refine(
        (form) => form.indexOf('/') > 0,
        'pool/member, such as admin/{host}:9090',
      ),
    )
    .min(1)
    .max(31)
    .exactOptional()
    .describe('Members of other pools of this balancer that the same host is, such as `admin/{host}:9090`.'),
  defaults: z
    .strictObject(defaultsShared)
    .exactOptional()
    .describe('What holds for all of them; a balancer does not tell it.'),
  ...common,
});

const format = z
  .enum(['json', 'csv', 'yaml', 'ansible'])
  .exactOptional()
  .describe(
    '`ansible` is what `ansible-inventory --list` prints. Left out: by the name of the file, else JSON where it begins with a bracket, and CSV.',
  );
const group = nameField
  .exactOptional()
  .describe('Of Ansible: only the hosts of this group, and of those in it.');
const textShared = { format, group, defaults: textDefaults, ...common };

const absolutePath = z
  .string()
  .regex(/^\/[^\p{Cc}]{1,1023}$/u, 'an absolute path, such as /etc/edge/web.csv');

const file = z.strictObject({
  from: z.literal('file').describe('A file on the machine of the server.'),
  path: absolutePath.describe('Where it is.'),
  ...textShared,
});

const timeout = (most: number) => z.int().min(100).max(most);

const command = z.strictObject({
  from: z.literal('command').describe('What a command prints, on the machine of the server.'),
  argv: argvField
    .refine(
      ([program]) =>
        program === undefined || program.startsWith('/') || /^[A-Za-z0-9][A-Za-z0-9._+-]*$/.test(program),
      {
        path: [0],
        message: 'an absolute path, or the name of a program on the PATH',
      },
    )
    .describe('The command; no shell reads it.'),
  timeoutMs: timeout(50_000).default(20_000).describe('After this it is ended, with its process group.'),
  env: envField
    .exactOptional()
    .describe('Its environment variables; of those of the server it has only PATH, HOME, LANG and TZ.'),
  ...textShared,
});

const credentials = z.union(
  [
    z.strictObject({
      username: z
        .string()
        .regex(/^[^\p{Cc}:]{1,256}$/u, 'a user name without a colon')
        .describe('User there.'),
      password: secretRefField.describe('Where the server finds the password.'),
    }),
    z.strictObject({ token: secretRefField.describe('Where the server finds the bearer token.') }),
  ],
  '{ username, password: secret } or { token: secret }',
);

const isLoopback = (host: string): boolean => /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(host);

const http = z
  .strictObject({
    from: z.literal('http').describe('What an address answers.'),
    url: z
      .url({ protocol: /^https?$/, error: 'an address such as https://cmdb.example.net/web.csv' })
      .max(2_048)
      .refine((url) => URL.canParse(url) && new URL(url).username === '' && new URL(url).password === '', {
        error: 'an address without a user and password in it: give credentials',
      })
      .describe('What is asked, by GET; redirects are not followed.'),
    credentials: credentials.exactOptional().describe('How Edge proves itself there.'),
    tls: z
      .union(
        [
          z.literal('system'),
          z.strictObject({ ca: absolutePath.describe('File with the certificates that are trusted.') }),
          z.strictObject({ fingerprint: z.string().min(1).describe('SHA-256 of its certificate.') }),
        ],
        'one of system, { ca: file }, { fingerprint: … }',
      )
      .default('system')
      .describe('How its certificate is checked.'),
    timeoutMs: timeout(30_000).default(10_000).describe('Without an answer by then there is none.'),
    ...textShared,
  })
  .refine(
    ({ url, credentials: given }) =>
      given === undefined ||
      !URL.canParse(url) ||
      new URL(url).protocol === 'https:' ||
      isLoopback(new URL(url).hostname),
    { path: ['credentials'], message: 'are sent over https only' },
  );

export const inventorySchema = z
  .discriminatedUnion('from', [pool, file, command, http])
  .refine(({ min, max }) => min <= max, { path: ['min'], message: 'must not be more than max' })
  .refine((source) => source.from === 'pool' || source.group === undefined || source.format === 'ansible', {
    path: ['group'],
    message: 'is of format: ansible',
  });

/** How targets are found, in place of a list of them. */
export type InventorySource = DeepReadonly<z.infer<typeof inventorySchema>>;
export type PoolSource = Extract<InventorySource, { from: 'pool' }>;
/** Those that give a text. */
export type TextSource = Exclude<InventorySource, PoolSource>;
export type TextFormat = 'json' | 'csv' | 'yaml' | 'ansible';

/** What an inventory reads, in a few words and without a secret. */
export function originOf(source: InventorySource): string {
  switch (source.from) {
    case 'pool':
      return `the pool ${source.balancer === undefined ? '' : `${source.balancer}/`}${source.pool}`;
    case 'file':
      return `the file ${source.path}`;
    case 'command':
      return `the command ${source.argv[0]}`;
    case 'http': {
      const { origin, pathname } = new URL(source.url);
      // A query may hold a key.
      return `${origin}${pathname}`;
    }
    default:
      return source satisfies never;
  }
}
