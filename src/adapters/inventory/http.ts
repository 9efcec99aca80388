import { EdgeError } from '../../domain/errors.ts';
import { MOST_INVENTORY_BYTES, originOf, type TextSource } from '../../domain/inventory.ts';
import { authorizationFor } from '../../outbound/authorization.ts';
import { HttpClient, type HttpResult } from '../../outbound/http.ts';
import type { Clock } from '../../ports/clock.ts';
import type { InventoryText } from '../../ports/inventory.ts';
import type { Secrets } from '../../ports/secrets.ts';
import { tooLong, unreachable } from './fault.ts';

type HttpSource = Extract<TextSource, { from: 'http' }>;
export type HttpParts = { readonly secrets: Secrets; readonly clock: Pick<Clock, 'sleep'> };

/** An address, asked once, on a connection of its own. Nothing of what it answers stands in an error. */
export async function readFromHttp(
  source: HttpSource,
  { secrets, clock }: HttpParts,
  signal: AbortSignal,
): Promise<InventoryText> {
  const { url, tls, timeoutMs } = source;
  const authorization = await authorizationFor(source.credentials, secrets);
  const http = new HttpClient({
    trust: tls,
    sleep: (ms, until) => clock.sleep(ms, until),
    origins: [new URL(url).origin],
    connections: 1,
  });
  try {
    const result = await http.send(
      {
        ...{ method: 'GET', url, timeoutMs, maxBytes: MOST_INVENTORY_BYTES, fresh: true },
        headers: { accept: 'application/json, text/csv, */*;q=0.1', ...authorization },
      },
      signal,
    );
    return { text: textFrom(source, result) };
  } finally {
    await http.close();
  }
}

const CREDENTIALS = 'Check the credentials of the inventory, and what they may read there.';

function textFrom(source: HttpSource, result: HttpResult): string {
  if (result.kind === 'nothing') {
    if (result.reason === 'too_large') throw tooLong(source);
    throw unreachable(source, result.reason === 'timeout' ? result.why : `no answer: ${result.why}`);
  }
  const { status, body } = result;
  if (status === 200) return withoutReplacements(source, body);
  const isRefused = status === 401 || status === 403;
  const isMoved = status >= 300 && status < 400;
  const why = isMoved ? 'a redirect, which is not followed' : isRefused ? 'it refuses to tell' : 'no list';
  throw unreachable(
    source,
    `it answers with status ${status}: ${why}`,
    isRefused ? { hint: CREDENTIALS } : {},
  );
}

/** The client has read the bytes already: what was no UTF-8 became this. */
function withoutReplacements(source: HttpSource, text: string): string {
  if (!text.includes('\uFFFD')) return text;
  throw new EdgeError('inventory_invalid', `${originOf(source)}: it is not a text in UTF-8`);
}
