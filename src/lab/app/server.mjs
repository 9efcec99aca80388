// The sample web application of the lab: plain JavaScript without dependencies, since it runs on hosts, not in Edge.
// Usage: node server.mjs --home FOLDER --address ADDRESS --port PORT. What it is comes from app.json beside it.
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Server as TcpServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const KEEP_ALIVE_MS = 65_000;
const MAX_SLOW_MS = 60_000;
/** While stopping, a kept connection may still bring a request that was already under way. */
const IDLE_GRACE_MS = 300;
const PAGES = ['/', '/slow'];
const METRICS_TYPE = 'text/plain; version=0.0.4';
const BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const { values } = parseArgs({
  options: { home: { type: 'string' }, address: { type: 'string' }, port: { type: 'string' } },
});
let release = JSON.parse(readFileSync(join(import.meta.dirname, 'app.json'), 'utf8'));
// Another release may be the current one by then, of the same program.
process.on('SIGHUP', () => {
  release = JSON.parse(readFileSync(join(import.meta.dirname, '../../current/app.json'), 'utf8'));
});

/** `starting`, then `ok` or (a bad release) `broken`, at the end `stopping`. */
let phase = 'starting';

// Metrics, in the text format of Prometheus 0.0.4.
const requests = new Map();
const buckets = BUCKETS_S.map(() => 0);
let count = 0;
let sum = 0;

function observe(path, code, seconds) {
  const labels = `code="${code}",path="${path}",version="${release.version}"`;
  requests.set(labels, (requests.get(labels) ?? 0) + 1);
  BUCKETS_S.forEach((limit, index) => {
    if (seconds <= limit) buckets[index] += 1;
  });
  count += 1;
  sum += seconds;
}

function metrics() {
  return [
    '# HELP http_requests_total Answered requests, without health and metrics pages.',
    '# TYPE http_requests_total counter',
    ...[...requests].map(([labels, value]) => `http_requests_total{${labels}} ${value}`),
    '# HELP http_request_duration_seconds Time from the first byte of a request to the end of its answer.',
    '# TYPE http_request_duration_seconds histogram',
    ...BUCKETS_S.map(
      (limit, index) => `http_request_duration_seconds_bucket{le="${limit}"} ${buckets[index]}`,
    ),
    `http_request_duration_seconds_bucket{le="+Inf"} ${count}`,
    `http_request_duration_seconds_sum ${sum}`,
    `http_request_duration_seconds_count ${count}`,
    '',
  ].join('\n');
}

function send(response, code, { body, type = 'text/plain; charset=utf-8' }) {
  const closing = phase === 'stopping' ? { Connection: 'close' } : {};
  const headers = {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'X-App-Version': release.version,
  };
  response.writeHead(code, { ...headers, ...closing }).end(body);
}

function sendHealth(response) {
  const code = { ok: 200, broken: 500, starting: 503, stopping: 503 }[phase];
  const body = `${JSON.stringify({ status: phase, version: release.version })}
`;
  send(response, code, { body, type: 'application/json' });
}

async function sendPage(url, response) {
  if (!PAGES.includes(url.pathname)) return send(response, 404, { body: 'no such page\n' });
  if (url.pathname === '/slow') await sleep(Math.min(Number(url.searchParams.get('ms')) || 0, MAX_SLOW_MS));
  if (phase === 'starting') return send(response, 503, { body: 'starting\n' });
  if (release.broken) return send(response, 500, { body: `${release.version} is broken\n` });
  if (Math.random() < (release.failing ?? 0))
    return send(response, 500, { body: `${release.version} fails\n` });
  send(response, 200, { body: `hello from ${release.version}\n` });
}

async function answer(request, response) {
  const url = new URL(request.url, 'http://app');
  if (url.pathname === '/health') return sendHealth(response);
  if (url.pathname === '/metrics') return send(response, 200, { body: metrics(), type: METRICS_TYPE });
  const begin = performance.now();
  const path = PAGES.includes(url.pathname) ? url.pathname : 'other';
  response.once('close', () => observe(path, response.statusCode, (performance.now() - begin) / 1000));
  await sendPage(url, response);
}

const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, answer);

/** Connections that have not asked anything yet: a health monitor or a balancer may have opened them ahead. */
const silent = new Set();
server.on('connection', (socket) => {
  silent.add(socket);
  socket.once('close', () => silent.delete(socket));
});
server.prependListener('request', (request) => silent.delete(request.socket));

function closeIdle() {
  server.close();
  for (const socket of silent) socket.destroy();
}

/** Stops accepting, finishes what is in flight, then ends by itself: nothing is left that keeps the process alive. */
function stop() {
  if (phase === 'stopping') return;
  phase = 'stopping';
  // The HTTP server's own close() would cut kept connections at once, with a request perhaps on its way.
  TcpServer.prototype.close.call(server, () => process.exit(0));
  setTimeout(closeIdle, IDLE_GRACE_MS);
}

process.on('SIGTERM', stop);
server.listen(Number(values.port), values.address, async () => {
  // bin/start waits for this file.
  writeFileSync(join(values.home, 'app.listening'), `${process.pid}\n`);
  process.stdout.write(`${release.version} listens on ${values.address}:${values.port}\n`);
  await sleep(release.startupDelayMs);
  if (phase === 'starting') phase = release.broken ? 'broken' : 'ok';
});
