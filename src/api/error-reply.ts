import type { FastifyReply, FastifyRequest } from 'fastify';
import { CATALOGUE, EdgeError, type ErrorBody } from '../domain/errors.ts';

type ErrorContext = {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly onFault: (fault: unknown, request: string) => void;
};

/** Answers with an error of the catalogue. What is a fault of Edge is told to the log alone. */
export function sendError(thrown: unknown, { request, reply, onFault }: ErrorContext): FastifyReply {
  const body = publicBody(thrown, { id: request.id, onFault });
  if (body.code === 'token_missing' || body.code === 'token_invalid')
    reply.header('www-authenticate', 'Bearer');
  return reply.code(CATALOGUE[body.code].http).send({ error: body });
}

type Told = { readonly id: string; readonly onFault: ErrorContext['onFault'] };

/** What a client may see of anything that was thrown. */
export function publicBody(thrown: unknown, { id, onFault }: Told): ErrorBody {
  const error = ofRequest(thrown) ?? thrown;
  if (error instanceof EdgeError && error.code !== 'internal') return error.body;
  onFault(thrown, id);
  return new EdgeError('internal', `Edge met a fault of its own; the server's log has it under ${id}`).body;
}

/** The HTTP server's own refusals: a body that is no JSON, too large, of another type. */
function ofRequest(thrown: unknown): EdgeError | undefined {
  if (!(thrown instanceof Error) || thrown instanceof EdgeError || !('statusCode' in thrown))
    return undefined;
  const { statusCode } = thrown;
  const isClients = typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500;
  return isClients ? new EdgeError('request_invalid', thrown.message, { cause: thrown }) : undefined;
}
