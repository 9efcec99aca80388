import type { MetricsFault } from '../../outbound/ask-metrics.ts';

/**
 * Where a function cannot be what it is asked for, Graphite answers 500 with a page of HTML that ends with the error of Python
 * (graphite/views.py). An error of values or types is that of the query; others, such as of a store that is away, may pass.
 */
export function faultIn(body: string): MetricsFault | undefined {
  const [, trace] = /<pre>(.*?)<\/pre>/s.exec(body) ?? [];
  const words = trace?.trim().split('\n').at(-1);
  if (words === undefined || !trace?.includes('Traceback')) return undefined;
  const isOfQuery = /^(?:ValueError|TypeError|ParseException)\b/.test(words);
  return { words: plain(words), ...(isOfQuery && { code: 'metrics_refused' }) };
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#x27;': "'",
  '&#39;': "'",
  '&amp;': '&',
};

const plain = (html: string): string =>
  html.replaceAll(/&(?:lt|gt|quot|#x27|#39|amp);/g, (entity) => ENTITIES[entity] ?? entity);
