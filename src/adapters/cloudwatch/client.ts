import type { CloudWatchClient, GetMetricDataInput, GetMetricDataOutput } from '@aws-sdk/client-cloudwatch';
import { EdgeError } from '../../domain/errors.ts';
import type { SecretRef } from '../../domain/secret.ts';
import { abortable } from '../../lib/abortable.ts';
import { oneLine } from '../../lib/inert-text.ts';
import { type MetricsParts, noAnswer } from '../../outbound/ask-metrics.ts';
import { HttpClient, type HttpRequest } from '../../outbound/http.ts';
import type { Trust } from '../../outbound/tls.ts';

export type CloudwatchAddress = {
  readonly region: string;
  /** Where it answers; left out: where AWS has it for the region. */
  readonly endpoint?: string;
  readonly tls: Trust;
  /** Left out: what the SDK of AWS finds, in its order (environment, files of a profile, web identity, the machine's own role). */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: SecretRef };
  /** For the whole of one query. */
  readonly timeoutMs: number;
  /** A longer page is refused; left out: 16 MiB. */
  readonly maxBytes?: number;
};

export type CloudwatchPages = {
  page(input: GetMetricDataInput, signal: AbortSignal): Promise<GetMetricDataOutput>;
  close(): Promise<void>;
};

const MOST_BYTES = 16 * 1_048_576;

/** `GetMetricData` with the SDK of AWS over the HTTP client of Edge, which bounds what is read. The SDK is loaded with the first query. */
export function cloudwatchPages(address: CloudwatchAddress, parts: MetricsParts): CloudwatchPages {
  const sleep = (ms: number, signal: AbortSignal) => parts.clock.sleep(ms, signal);
  const http = new HttpClient({ trust: address.tls, sleep });
  let sdk: Promise<Sdk> | undefined;
  return {
    page: async (input, signal) => {
      sdk ??= sdkFor(address, parts, http);
      const { client, command } = await sdk;
      try {
        // The SDK looks for credentials without a signal.
        return await abortable(client.send(command(input), { abortSignal: signal }), signal);
      } catch (error) {
        signal.throwIfAborted();
        throw faultFrom(error);
      }
    },
    close: async () => {
      const loaded = await sdk?.catch(() => undefined);
      loaded?.client.destroy();
      await http.close();
    },
  };
}

type Command = InstanceType<typeof import('@aws-sdk/client-cloudwatch')['GetMetricDataCommand']>;
type Sdk = { readonly client: CloudWatchClient; readonly command: (input: GetMetricDataInput) => Command };

async function sdkFor(
  { region, endpoint, credentials, timeoutMs, maxBytes = MOST_BYTES }: CloudwatchAddress,
  { secrets }: MetricsParts,
  http: HttpClient,
): Promise<Sdk> {
  const { CloudWatchClient, GetMetricDataCommand } = await import('@aws-sdk/client-cloudwatch');
  const client = new CloudWatchClient({
    ...{ region, maxAttempts: 1, requestHandler: handlerOver(http, { timeoutMs, maxBytes }) },
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials && {
      credentials: async () => ({
        accessKeyId: credentials.accessKeyId,
        secretAccessKey: await secrets.resolve(credentials.secretAccessKey),
      }),
    }),
  });
  return { client, command: (input) => new GetMetricDataCommand(input) };
}

/** What the SDK hands to its HTTP handler, of which it takes any that can `handle`. */
type Sent = {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
};

type Limits = Pick<HttpRequest, 'timeoutMs' | 'maxBytes'>;

function handlerOver(http: HttpClient, limits: Limits) {
  const never = new AbortController().signal;
  return {
    handle: async (sent: Sent, { abortSignal }: { readonly abortSignal?: unknown } = {}) => {
      const { protocol, hostname, port, path, headers, body } = sent;
      const url = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`;
      const request = { method: 'POST', url, headers, body: textOf(body), ...limits } as const;
      const signal = abortSignal instanceof AbortSignal ? abortSignal : never;
      const result = await http.send(request, signal);
      if (result.kind === 'nothing') throw noAnswer(result, url);
      const { status: statusCode, headers: replied } = result;
      return { response: { statusCode, headers: { ...replied }, body: Buffer.from(result.body) } };
    },
    updateHttpClientConfig: () => {},
    httpHandlerConfigs: () => ({}),
  };
}

/** The bytes of the SDK complain of who takes them for a text, as `Buffer.from` does. */
const textOf = (body: unknown): string =>
  body instanceof Uint8Array ? new TextDecoder().decode(body) : String(body ?? '');

/** Of AWS Query and JSON services; some come with status 400. */
const THROTTLED =
  /^(Throttl|RequestLimitExceeded|TooManyRequests|RequestThrottled|SlowDown|ServiceUnavailable|InternalService|InternalFailure)/;
const CREDENTIALS =
  /^(AccessDenied|UnrecognizedClient|InvalidClientTokenId|SignatureDoesNotMatch|ExpiredToken|MissingAuth|NotAuthorized)/;

function faultFrom(error: unknown): EdgeError {
  if (error instanceof EdgeError) return error;
  if (!(error instanceof Error)) return new EdgeError('metrics_refused', `CloudWatch: ${error}`);
  const { name, cause } = error;
  const status = statusOf(error);
  const message = `CloudWatch: ${name}: ${oneLine(error.message).slice(0, MOST_WORDS)}`;
  if (THROTTLED.test(name) || status === 429 || status >= 500)
    return new EdgeError('metrics_unreachable', message, { cause });
  if (/^(Credentials|Token)Provider/.test(name))
    return new EdgeError('secret_unavailable', message, {
      hint: 'Give the worker credentials of AWS where its SDK looks for them: environment, profile, or role.',
    });
  const hint = 'Check the credentials of the source, and whether they may `cloudwatch:GetMetricData`.';
  return new EdgeError('metrics_refused', message, CREDENTIALS.test(name) || status === 403 ? { hint } : {});
}

const MOST_WORDS = 500;

/** 0 where there was no answer. */
function statusOf(error: Error): number {
  const metadata: unknown = Object.getOwnPropertyDescriptor(error, '$metadata')?.value;
  if (typeof metadata !== 'object' || metadata === null) return 0;
  return Number(Object.getOwnPropertyDescriptor(metadata, 'httpStatusCode')?.value ?? 0);
}
