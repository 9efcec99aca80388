import { z } from 'zod';
import { PERMISSIONS } from '../domain/permission.ts';
import { atField } from './fields.ts';
import { type Route, route } from './route.ts';

/** The routes by which a browser signs in and out: a token is shown once, and a cookie stands for it from then on. */

const sessionSchema = z.object({
  session: z
    .object({
      name: z.string().describe('Name of the token; stands in the record as `by`.'),
      permissions: z.array(z.enum(PERMISSIONS)),
      expiresAt: atField.nullable().describe('When it has to be shown a token again.'),
    })
    .meta({ id: 'Session' }),
});

export const SESSION_ROUTES = {
  signIn: route({
    method: 'POST',
    path: '/v1/session',
    permission: 'status.read',
    summary: 'Begins a session for a browser: the answer sets a cookie that stands for the token.',
    cookie: true,
    body: z.strictObject({}),
    response: sessionSchema,
  }),
  session: route({
    method: 'GET',
    path: '/v1/session',
    permission: 'status.read',
    summary: 'Who asks, and what they may.',
    response: sessionSchema,
  }),
  signOut: route({
    method: 'DELETE',
    path: '/v1/session',
    permission: 'status.read',
    summary: 'Ends the session of the cookie.',
    cookie: true,
    response: z.object({}),
  }),
} as const satisfies Readonly<Record<string, Route>>;
